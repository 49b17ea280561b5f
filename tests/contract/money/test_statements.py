"""Statements: complete, chained and the same in any cut; and a ledger that was tampered with is not passed on."""

from dataclasses import replace

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Invalid
from chalicelib.domain.money.chain import initial_state, next_state
from chalicelib.domain.money.errors import LedgerDamaged
from chalicelib.services.money import statements as module
from chalicelib.services.money.statements import Statements
from tests.contract.money.billing_services import LEASE_MS, Services
from tests.contract.money.wallet_parts import record_now

statements = pytest.fixture(lambda services: services.statements)


def a_viewer_with_a_past(services: Services, beats: int = 14) -> tuple[str, list[str]]:
    user_id = services.viewer(1_000_000)
    sessions = [services.open(user_id).session.session_id for _ in range(2)]
    for seq in range(2, beats):
        services.clock.advance(LEASE_MS)
        for session_id in sessions:
            services.billing.heartbeat(user_id, session_id, seq)
    services.billing.end(user_id, sessions[0], EndReason.VIEWER_STOPPED)
    return user_id, sessions


def test_a_statement_is_the_whole_ledger_line_by_line(services: Services, statements: Statements) -> None:
    user_id, _ = a_viewer_with_a_past(services)
    statement = statements.statement(user_id, 0)
    state = statement.opening
    assert state == initial_state(user_id)
    for entry, said in statement.lines:
        state = next_state(state, entry)
        assert said == state
    wallet = services.ledger.wallet(user_id)
    assert (state.version, state.balance_millipoints) == (wallet.version, wallet.balance_millipoints)
    assert not statement.more


def test_any_cut_gives_the_same_lines(
    services: Services, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, _ = a_viewer_with_a_past(services)
    whole = statements.statement(user_id, 0)
    for cut in range(whole.closing.version + 3):
        part = statements.statement(user_id, cut)
        assert part.lines == whole.lines[cut:]
        assert part.opening == (whole.lines[cut - 1][1] if 0 < cut <= len(whole.lines) else part.opening)
    monkeypatch.setattr(module, "LINES_MAX", 5)
    monkeypatch.setattr(module, "PAGES_AT_ONCE", 2)
    lines, version, more = [], 0, True
    while more:
        part = statements.statement(user_id, version)
        lines += part.lines
        version, more = part.closing.version, part.more
    assert tuple(lines) == whole.lines


def test_the_lines_of_one_session_and_no_others(services: Services, statements: Statements) -> None:
    _, (ended, active) = a_viewer_with_a_past(services)
    record = record_now(services.stores, ended)
    lines = list(statements.session_entries(record))
    assert [line.seq for line in lines] == [*range(1, 14), None]
    assert -sum(line.delta_millipoints for line in lines) == record.charged_millipoints
    first = statements.session_page(record, limit=5, cursor=None)
    rest = statements.session_page(record, limit=50, cursor=first.next_cursor)
    assert [*first.items, *rest.items] == lines
    assert rest.next_cursor is None
    assert len(list(statements.session_entries(record_now(services.stores, active)))) == 13
    with pytest.raises(Invalid):
        statements.session_page(record, limit=5, cursor="x")


def test_a_page_that_somebody_changed_is_found(services: Services, statements: Statements) -> None:
    user_id, _ = a_viewer_with_a_past(services)
    [page] = services.stores.ledger.pages_from(user_id, from_version=7, limit=1)
    forged = replace(page.entries[2], delta_millipoints=page.entries[2].delta_millipoints + 1)
    services.stores.ledger.put_page(user_id, replace(page, entries=(*page.entries[:2], forged, *page.entries[3:])))
    with pytest.raises(LedgerDamaged, match="version 7"):
        statements.statement(user_id, 0)
