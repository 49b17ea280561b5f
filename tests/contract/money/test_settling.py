"""Settling over both stores: what a session was served, what it paid, and what happens in between."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.reconciliation import Finding, SessionReconciliation, reconcile
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import PAGE_ENTRIES, Entry
from chalicelib.ports.common import ListPage, all_items
from chalicelib.stores import Stores
from tests.contract.money.billing_services import Playback, Services

TWO_MINUTES = 120_000


@pytest.fixture
def services(money: Stores) -> Services:
    return with_rules(money)


def with_rules(money: Stores, **rules: Any) -> Services:
    """Services whose gateways' logs are followed, and which settle by these rules."""
    services = Services(money)
    services.settings = replace(services.settings, **rules)
    services.stores.usage.mark("gw", services.clock.now_ms() + TWO_MINUTES)
    return services


@dataclass
class Ended:
    """A session that ended after six of its first ten seconds: four points are its reserve."""

    services: Services
    playback: Playback
    record: SessionRecord

    @property
    def entries(self) -> list[Entry]:
        return list(self.services.statements.session_entries(self.record))

    @property
    def wallet_debt(self) -> int:
        return self.services.ledger.wallet(self.playback.user_id).debt_millipoints

    def settle(self, media_ms: int | None, segment_ms: int = 2_000) -> SessionRecord:
        """Settle it by the record and the lines as this runner has read them; None: it cannot be measured."""
        served = None if media_ms is None else Served(media_ms=media_ms, segments=-(-media_ms // segment_ms))
        return self.services.settlements.settle(self.record, self.entries, served)

    def adjust(self, millipoints: int) -> None:
        self.services.ledger.credit(
            user_id=self.playback.user_id,
            millipoints=millipoints,
            payment_id=new_session_id(),
            note="",
            by_user_id="u_admin",
            session=self.now,
        )

    @property
    def now(self) -> SessionRecord:
        record = self.services.stores.sessions.get(self.record.session_id)
        assert record is not None
        return record

    def reconciled(self, media_ms: int, segment_ms: int = 2_000) -> SessionReconciliation:
        served = Served(media_ms=media_ms, segments=-(-media_ms // segment_ms))
        entries = list(self.services.statements.session_entries(self.now))
        return reconcile(self.now, entries, served, self.services.clock.now_ms(), measured=True)


def stopped(services: Services, millipoints: int = 100_000, reason: EndReason = EndReason.VIEWER_STOPPED) -> Ended:
    playback = services.watching(millipoints)
    record = playback.end(reason, after_ms=6_000)
    assert (record.charged_millipoints, record.reserved_millipoints) == (
        (10_000, 4_000) if reason is EndReason.VIEWER_STOPPED else (6_000, 0)
    )
    return Ended(services, playback, record)


def outcome(record: SessionRecord) -> tuple[int | None, int | None, int | None, int | None]:
    names = ("settled_ms", "settled_millipoints", "settled_debt_millipoints", "charged_millipoints")
    return tuple(getattr(record, name) for name in names)  # type: ignore[return-value]


def test_what_was_served_ahead_is_charged(services: Services) -> None:
    ended = stopped(services)
    record = ended.settle(13_000)
    assert outcome(record) == (3_000, -3_000, 0, 13_000)
    assert ended.playback.balance == 87_000 == ended.playback.ledger_sum
    assert ended.playback.kinds() == ["lease", "refund", "served_ahead"]
    assert services.stores.counters.counts["spent_millipoints"] == 13_000
    assert ended.reconciled(13_000).reason is Finding.OK


def test_what_was_not_served_comes_back(services: Services) -> None:
    ended = stopped(services)
    assert outcome(ended.settle(6_000)) == (-4_000, 4_000, 0, 6_000)
    assert ended.playback.balance == 94_000 == ended.playback.ledger_sum
    assert ended.playback.kinds() == ["lease", "refund", "unserved_credit"]
    assert ended.reconciled(6_000).reason is Finding.OK


def test_a_kick_is_not_charged_and_is_credited(services: Services) -> None:
    kicked = stopped(services, reason=EndReason.KICKED)
    assert outcome(kicked.settle(13_000)) == (0, 0, 0, 6_000)
    other = stopped(services, reason=EndReason.KICKED)
    assert outcome(other.settle(1_000, segment_ms=1_000)) == (-5_000, 5_000, 0, 1_000)


def test_what_the_balance_cannot_pay_becomes_debt_and_the_next_start_pays_it(services: Services) -> None:
    ended = stopped(services, millipoints=11_000)
    assert outcome(ended.settle(13_000)) == (3_000, -3_000, 2_000, 11_000)
    assert (ended.playback.balance, ended.wallet_debt) == (0, 2_000)
    assert ended.reconciled(13_000).reason is Finding.OK
    services.credit(ended.playback.user_id, 20_000)
    beat = services.open(ended.playback.user_id)
    assert (beat.charged_millipoints, beat.wallet.balance_millipoints, beat.wallet.debt_millipoints) == (
        10_000,
        8_000,
        0,
    )
    assert services.ledger_sum(ended.playback.user_id) == 8_000


@pytest.mark.parametrize("media_ms", [13_000, 6_000, 10_000, None])
def test_a_session_is_settled_once_whoever_runs_again(services: Services, media_ms: int | None) -> None:
    """Another runner has read the session before it was settled, and a third one afterwards."""
    ended = stopped(services)
    other = Ended(services, ended.playback, ended.record)
    entries = ended.entries
    record = ended.settle(media_ms)
    balance = ended.playback.balance
    assert other.services.settlements.settle(ended.record, entries, Served(media_ms=1)) == record
    assert replace(other, record=record).settle(media_ms) == record
    assert ended.playback.balance == balance == ended.playback.ledger_sum


def test_an_unmeasured_session_gets_its_reserve_back_and_nothing_else(services: Services) -> None:
    ended = stopped(services)
    assert outcome(ended.settle(None)) == (0, 4_000, 0, 6_000)
    assert ended.playback.balance == 94_000
    kicked = stopped(services, reason=EndReason.KICKED)
    assert outcome(kicked.settle(None)) == (0, 0, 0, 6_000)
    assert kicked.playback.kinds() == ["lease", "refund"]


def test_without_a_followed_log_there_is_no_reserve(money: Stores) -> None:
    services = Services(money)
    services.stores.usage.leave("gw")
    record = services.watching().end(after_ms=6_000)
    assert (record.reserved_millipoints, record.charged_millipoints) == (0, 6_000)


def test_an_adjustment_between_read_and_write_is_seen(services: Services) -> None:
    """The credit is at most what the session still costs, so the two never give back more than it cost."""
    ended = stopped(services)
    before = ended.record
    ended.adjust(8_000)
    record = services.settlements.settle(before, ended.entries, Served())
    assert outcome(record) == (-10_000, 2_000, 0, 8_000)
    assert ended.playback.balance == 100_000 == ended.playback.ledger_sum
    assert record.adjustable_millipoints == (-8_000, 0)


@pytest.mark.parametrize("rules", [{"settlement_credits": False}, {"settlement_credits_per_day": 3}])
def test_a_credit_beyond_the_stage_s_rules_waits_for_an_operator(money: Stores, rules: dict[str, Any]) -> None:
    ended = stopped(with_rules(money, **rules), reason=EndReason.KICKED)
    assert outcome(ended.settle(0)) == (-6_000, 0, 0, 6_000)
    assert ended.playback.balance == 94_000
    row = ended.reconciled(0)
    assert (row.reason, row.agrees) == (Finding.CREDIT_WITHHELD, False)
    ended.adjust(6_000)
    assert ended.playback.balance == 100_000
    row = ended.reconciled(0)
    assert (row.reason, row.agrees) == (Finding.OK, True)


@pytest.mark.parametrize("rules", [{"settlement_credits": False}, {"settlement_credits_per_day": 1}])
def test_a_reserve_comes_back_whatever_the_rules_of_credits(money: Stores, rules: dict[str, Any]) -> None:
    services = with_rules(money, **rules)
    ended = stopped(services)
    assert outcome(ended.settle(6_000)) == (-4_000, 4_000, 0, 6_000)
    assert ended.reconciled(6_000).reason is Finding.OK
    assert services.ledger.wallet(ended.playback.user_id).credited_millipoints == 0
    # Beyond it, all of the credit is withheld.
    short = stopped(services)
    assert outcome(short.settle(1_000, segment_ms=1_000)) == (-9_000, 4_000, 0, 6_000)
    assert short.reconciled(1_000, segment_ms=1_000).reason is Finding.CREDIT_WITHHELD
    unmeasured = stopped(services)
    assert outcome(unmeasured.settle(None)) == (0, 4_000, 0, 6_000)
    short.adjust(5_000)
    assert short.reconciled(1_000, segment_ms=1_000).reason is Finding.OK


def test_the_credits_of_a_day_are_bounded_by_user(money: Stores) -> None:
    services = with_rules(money, settlement_credits_per_day=10)
    first = stopped(services, reason=EndReason.KICKED)
    assert first.settle(0).settled_millipoints == 6_000
    user_id = first.playback.user_id
    for after_ms, credited in ((0, 0), (86_400_000, 6_000)):
        services.clock.advance(after_ms)
        playback = Playback(services, user_id, services.open(user_id).session.session_id)
        again = Ended(services, playback, playback.end(EndReason.KICKED, after_ms=6_000))
        assert again.settle(0).settled_millipoints == credited
    # Another user has a maximum of their own.
    assert stopped(services, reason=EndReason.KICKED).settle(0).settled_millipoints == 6_000


def test_a_charge_is_not_bounded_by_the_rules_of_credits(money: Stores) -> None:
    ended = stopped(with_rules(money, settlement_credits=False))
    assert outcome(ended.settle(13_000)) == (3_000, -3_000, 0, 13_000)


@pytest.mark.parametrize("media_ms", [13_000, 6_000])
def test_a_session_s_lines_are_complete_with_settlement_and_adjustments(services: Services, media_ms: int) -> None:
    ended = stopped(services)
    user_id = ended.playback.user_id
    ended.adjust(2_000)
    # Other lines in between, over several pages.
    for _ in range(PAGE_ENTRIES + 1):
        services.credit(user_id, 1)
    ended = replace(ended, record=ended.now)
    ended.settle(media_ms)
    for _ in range(PAGE_ENTRIES + 1):
        services.credit(user_id, 1)
    ended.adjust(1_000)
    services.credit(user_id, 1)
    kind = "served_ahead" if media_ms > 10_000 else "unserved_credit"
    expected = ["lease", "refund", "adjustment", kind, "adjustment"]
    lines = list(services.statements.session_entries(ended.now))
    assert [line.kind.value for line in lines] == expected

    def page(limit: int, cursor: str | None) -> ListPage[Entry]:
        return services.statements.session_page(ended.now, limit=limit, cursor=cursor)

    assert list(all_items(page, limit=2)) == lines
    net = -sum(line.delta_millipoints for line in lines)
    assert net == (ended.now.charged_millipoints or 0) - ended.now.adjusted_millipoints
    assert services.ledger_sum(user_id) == ended.playback.balance


def test_a_settlement_of_debt_alone_is_a_line_of_nothing(services: Services) -> None:
    ended = stopped(services, millipoints=10_000)
    assert outcome(ended.settle(13_000)) == (3_000, -3_000, 3_000, 10_000)
    lines = list(services.statements.session_entries(ended.now))
    assert [(line.kind.value, line.delta_millipoints) for line in lines][-1] == ("served_ahead", 0)


def test_max_points_is_passed_by_the_allowance_at_most(services: Services) -> None:
    playback = services.watching(budget=10_000)
    ended = Ended(services, playback, playback.end(after_ms=6_000))
    assert outcome(ended.settle(40_000)) == (30_000, -8_000, 0, 18_000)


def test_a_full_wallet_is_settled_once_its_journal_has_moved(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = stopped(services)
    entries = ended.entries
    # No page can be written for a while.
    with monkeypatch.context() as patch:
        patch.setattr(services.ledger, "flush_if_due", lambda wallet: None)
        while len(services.ledger.wallet(ended.playback.user_id).journal) < 5 * PAGE_ENTRIES:
            services.credit(ended.playback.user_id, 1)
    record = services.settlements.settle(ended.record, entries, Served(media_ms=13_000, segments=7))
    assert record.settled_millipoints == -3_000
    assert services.ledger_sum(ended.playback.user_id) == ended.playback.balance


def test_a_credit_waits_while_the_wallet_is_full_of_points(services: Services) -> None:
    ended = stopped(services)
    services.credit(ended.playback.user_id, MILLIPOINTS_MAX - ended.playback.balance - 3_999)
    with pytest.raises(Exception, match="busy"):
        ended.settle(6_000)
    assert ended.now == ended.record


def test_an_erased_account_pays_from_its_balance_and_gets_no_debt(services: Services) -> None:
    ended = stopped(services, millipoints=11_000)
    services.stores.wallets.waive_debt(ended.playback.user_id)
    assert outcome(ended.settle(13_000)) == (3_000, -1_000, 0, 11_000)
    assert (ended.playback.balance, ended.wallet_debt) == (0, 0)
