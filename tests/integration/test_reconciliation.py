"""The schedule that reconciles sessions, over real tables, from the start of a session to its row."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS, Finding, SessionReconciliation
from chalicelib.domain.money.usage import Served, day_of
from chalicelib.ports.common import ListPage, StoreUnavailable
from chalicelib.ports.money.reconciliation import Due
from chalicelib.services.money import reconciliation as service
from chalicelib.services.money.reconciliation import Run
from chalicelib.services.money.settlements import CreditRules
from tests.integration.test_schedules import advance, services, watching

__all__ = ["services"]
FOLLOWER = "gateway-1"


def serve(services: Container, session_id: str, media_ms: int, batch: int = 1) -> None:
    """Add usage like a gateway's follower."""
    now_ms = services.stores.clock.now_ms()
    counts = {"media_bytes": media_ms * 100, "segments": media_ms // 2_000, "requests": media_ms // 1_000}
    figures = Served(media_ms=media_ms, first_at_ms=now_ms, last_at_ms=now_ms, **counts)
    assert services.stores.usage.add(session_id, figures, follower=FOLLOWER, batch=batch, now_ms=now_ms)


def watched(services: Container, leases: int = 3) -> tuple[str, str]:
    """A session that bought so many leases of 10 s, and was stopped when the last one was half over."""
    user_id, session_id = watching(services)
    for seq in range(2, leases + 1):
        advance(services, 10_000)
        services.billing.heartbeat(user_id, session_id, seq)
    advance(services, 5_000)
    services.playback.stop(user_id, session_id)
    return user_id, session_id


def without_credits(services: Container) -> None:
    services.settlements._rules = CreditRules(credits=False, per_day_millipoints=0)


def arrive(services: Container) -> None:
    """The log of all that was until now arrives, and what has ended becomes due."""
    advance(services, RECONCILE_AFTER_MS)
    services.stores.usage.mark(FOLLOWER, services.stores.clock.now_ms() - 10_000)


def rows(services: Container, agrees: bool | None = None, day: str | None = None) -> dict[str, SessionReconciliation]:
    page = services.reconciliation.rows(day, agrees=agrees, limit=200, cursor=None)
    return {row.session_id: row for row in page.items}


def test_each_ended_session_gets_its_row_once(services: Container) -> None:
    without_credits(services)
    _, fine = watched(services)
    serve(services, fine, 30_000)
    _, unserved = watched(services)
    watching(services)
    assert services.reconciliation.run() == Run(), "their logs have not arrived"
    arrive(services)
    assert services.reconciliation.run() == Run(settled=2)
    found = rows(services)
    assert set(found) == {fine, unserved}, "not the one that goes on"
    row = found[fine]
    amounts = (row.lease_millipoints, row.refund_millipoints, row.served_ahead_millipoints, row.net_millipoints)
    assert amounts == (30_000, 5_000, 5_000, 30_000)
    assert (row.leases, row.granted_ms, row.media_ms, row.paid_ms, row.drift_ms) == (3, 30_000, 30_000, 30_000, 0)
    withheld = found[unserved]
    assert (withheld.paid_ms, withheld.drift_ms, withheld.unserved_credit_millipoints) == (25_000, -25_000, 0)
    assert (row.reason, withheld.reason) == (Finding.OK, Finding.CREDIT_WITHHELD)
    assert set(rows(services, agrees=False)) == {unserved}
    assert services.reconciliation.run() == Run()
    assert rows(services) == found, "running again changes nothing"
    figures = services.reconciliation.figures()
    assert (figures.sessions, figures.disagreeing, figures.drift_points) == (2, 1, -25.0)
    totals = services.reconciliation.totals(day_of(services.stores.clock.now_ms()))
    assert (totals.sessions, totals.disagreeing, totals.net_millipoints, totals.media_ms) == (2, 1, 55_000, 30_000)


def test_a_line_of_the_ledger_that_is_wrong_is_found(services: Container) -> None:
    _, session_id = watched(services)
    serve(services, session_id, 30_000)
    session_entries = services.statements.session_entries
    services.statements.session_entries = lambda record: _without_a_lease(session_entries(record))  # type: ignore[method-assign]
    arrive(services)
    services.reconciliation.run()
    row = rows(services)[session_id]
    assert (row.reason, row.agrees, row.net_millipoints) == (Finding.LEDGER_MISMATCH, False, 15_000)
    record = services.stores.sessions.get(session_id)
    assert record and record.settled_at_ms is None, "lines that are wrong must not move money"


def _without_a_lease(entries):  # type: ignore[no-untyped-def]
    return [each for each in entries if each.seq != 2]


def test_an_outage_of_the_function_leaves_nothing_out(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "DUE_PER_PAGE", 2)
    sessions = {watched(services, leases=1)[1] for _ in range(5)}
    advance(services, 3 * 3_600_000)
    services.stores.usage.mark(FOLLOWER, services.stores.clock.now_ms())
    assert services.reconciliation.run() == Run(settled=5)
    ended_on = day_of(services.stores.clock.now_ms() - 3 * 3_600_000)
    assert set(rows(services)) | set(rows(services, day=ended_on)) == sessions


def test_a_run_ends_in_time_and_the_next_goes_on(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = {watched(services, leases=1)[1] for _ in range(6)}
    arrive(services)
    ticks = iter(range(10_000))
    monkeypatch.setattr(services.reconciliation, "_monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(service, "RUN_S_MAX", 5.0)
    runs = [services.reconciliation.run().settled]
    while sum(runs) < 6:
        runs.append(services.reconciliation.run().settled)
        assert len(runs) < 100
    assert len(runs) > 1
    assert set(rows(services)) == sessions


def test_a_run_that_is_out_of_time_asks_for_nothing_more(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(services, leases=1)
    arrive(services)
    monkeypatch.setattr(service, "RUN_S_MAX", 0.0)
    monkeypatch.setattr(services.reconciliation._table, "due", lambda *_, **__: pytest.fail("it went on"))
    assert services.reconciliation.run() == Run()


def test_a_run_that_is_out_of_time_after_a_page_does_not_ask_for_the_next(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(services, leases=1)
    arrive(services)
    due, reconcile, times_s = services.reconciliation._table.due, services.reconciliation._reconcile, [0.0]

    def ask(shard: int, now_ms: int, **options: Any) -> ListPage[Due]:
        assert times_s == [0.0], "it went on"
        page = due(shard, now_ms, **options)
        return replace(page, next_cursor="more" if page.items else None)

    def take_long(*arguments: Any) -> bool:
        times_s.append(service.RUN_S_MAX)
        return reconcile(*arguments)

    monkeypatch.setattr(services.reconciliation._table, "due", ask)
    monkeypatch.setattr(services.reconciliation, "_reconcile", take_long)
    monkeypatch.setattr(services.reconciliation, "_monotonic", lambda: times_s[-1])
    assert services.reconciliation.run() == Run(settled=1)


def test_one_that_fails_is_not_in_the_way_of_the_others_and_comes_again(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = watched(services)[1], watched(services)[1]
    arrive(services)
    session_entries = services.statements.session_entries

    def fail(record):  # type: ignore[no-untyped-def]
        if record.session_id == first:
            raise StoreUnavailable("injected")
        return session_entries(record)

    with monkeypatch.context() as patch:
        patch.setattr(services.statements, "session_entries", fail)
        assert services.reconciliation.run() == Run(settled=1, failed=1)
    assert set(rows(services)) == {second}
    assert services.reconciliation.run() == Run(settled=1)
    assert set(rows(services)) == {first, second}


def test_a_log_that_is_late_is_waited_for(services: Container) -> None:
    _, session_id = watched(services)
    advance(services, RECONCILE_AFTER_MS)
    assert services.reconciliation.run() == Run(postponed=1)
    assert rows(services)[session_id].reason is Finding.NOT_MEASURED
    assert services.reconciliation.run() == Run(), "not at every run"
    serve(services, session_id, 28_000)
    arrive(services)
    assert services.reconciliation.run() == Run(settled=1)
    assert rows(services)[session_id].reason is Finding.OK
    assert services.reconciliation.figures().disagreeing == 0


def test_without_any_log_it_is_given_up_after_a_day(services: Container) -> None:
    _, session_id = watched(services)
    runs = 0
    while services.reconciliation.run() != Run(settled=1):
        advance(services, 30 * 60_000)
        runs += 1
        assert runs < 100
    assert 48 <= runs <= 80
    day = day_of(services.stores.clock.now_ms() - runs * 30 * 60_000)
    [row] = rows(services, day=day).values()
    assert (row.session_id, row.reason) == (session_id, Finding.NOT_MEASURED)


def test_an_adjustment_counts_once_and_reconciles_the_session_again(services: Container) -> None:
    without_credits(services)
    user_id, session_id = watched(services)
    arrive(services)
    services.reconciliation.run()
    assert rows(services)[session_id].reason is Finding.CREDIT_WITHHELD
    payment = {"millipoints": 25_000, "payment_id": "sorry-1", "note": "not served", "by_user_id": "u_x"}
    for _ in range(2):
        assert services.reconciliation.adjust(session_id, **payment).balance_millipoints == 100_000
    line = services.ledger.entries(user_id, limit=1, cursor=None).items[0]
    assert (line.kind, line.session_id, line.payment_id) == ("adjustment", session_id, "sorry-1")
    advance(services, 1_000)
    assert services.reconciliation.run() == Run(settled=1)
    row = rows(services)[session_id]
    assert (row.adjustment_millipoints, row.net_millipoints, row.paid_ms, row.reason) == (25_000, 0, 0, Finding.OK)
    assert rows(services, agrees=False) == {}
    assert services.reconciliation.figures().disagreeing == 0


def test_an_adjustment_that_comes_while_a_run_is_at_it_is_not_lost(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, session_id = watched(services)
    arrive(services)
    session_entries = services.statements.session_entries

    def meanwhile(record):  # type: ignore[no-untyped-def]
        lines = session_entries(record)
        services.reconciliation.adjust(session_id, millipoints=25_000, payment_id="sorry", note="", by_user_id="u_x")
        return lines

    with monkeypatch.context() as patch:
        patch.setattr(services.statements, "session_entries", meanwhile)
        services.reconciliation.run()
    advance(services, 1_000)
    assert services.reconciliation.run() == Run(settled=1)
    assert rows(services)[session_id].adjustment_millipoints == 25_000
