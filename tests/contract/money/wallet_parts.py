"""Wallets, sessions and purchases as the suite over the stores begins with."""

from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lease import Outcome, Purchase
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession, SessionKind, SessionRecord
from chalicelib.domain.money.wallets import Payment, utc_day
from chalicelib.ports.money import OnTimeBeat
from tests.contract.conftest import MoneyStores

NOW = 1_800_000_000_000
SESSIONS_MAX = 4


def payment(user_id: str, millipoints: int, payment_id: str | None = None) -> Payment:
    return Payment(
        payment_id=payment_id or new_session_id(),
        user_id=user_id,
        millipoints=millipoints,
        note="top-up",
        by_user_id="u_admin",
        at_ms=NOW,
    )


def funded(money: MoneyStores, millipoints: int) -> str:
    user_id = new_user_id()
    money.wallets.create(user_id)
    money.wallets.begin_day(user_id, utc_day(NOW))
    if millipoints:
        assert money.wallets.pay(payment(user_id, millipoints))
    return user_id


def a_session(**changes: object) -> ActiveSession:
    values: dict[str, object] = {
        "session_id": new_session_id(),
        "stream_id": "stream-1",
        "kind": SessionKind.VIEWING,
        "started_at_ms": NOW,
        "rate_millipoints_per_minute": 60_000,
        "lease_ms": 10_000,
        "charge_millipoints": 10_000,
        "seq": 1,
        "paid_from_ms": NOW,
        "paid_until_ms": NOW + 10_000,
        "charged_millipoints": 10_000,
        "budget_millipoints": MILLIPOINTS_MAX,
        "granted_ms": 10_000,
    }
    return ActiveSession(**{**values, **changes})  # type: ignore[arg-type]


def a_beat(session: ActiveSession, seq: int, now_ms: int, outage_ms: int = 0) -> OnTimeBeat:
    return OnTimeBeat(
        session_id=session.session_id, stream_id=session.stream_id, seq=seq, now_ms=now_ms, outage_ms=outage_ms
    )


def record_of(user_id: str, session: ActiveSession) -> SessionRecord:
    return SessionRecord(
        session_id=session.session_id,
        user_id=user_id,
        stream_id=session.stream_id,
        kind=session.kind,
        started_at_ms=session.started_at_ms,
        rate_millipoints_per_minute=session.rate_millipoints_per_minute,
        lease_ms=session.lease_ms,
        due_shard=3,
        due_ms=NOW + 120_000,
    )


def started(money: MoneyStores, user_id: str, **changes: object) -> ActiveSession:
    session = a_session(**changes)
    money.wallets.start(user_id, session, record_of(user_id, session), SESSIONS_MAX, 0)
    return session


def wallet_of(money: MoneyStores, user_id: str):  # type: ignore[no-untyped-def]
    wallet = money.wallets.get(user_id)
    assert wallet is not None
    return wallet


def a_purchase(**changes: object) -> Purchase:
    values: dict[str, object] = {
        "outcome": Outcome.LATE,
        "charge_millipoints": 10_000,
        "granted_ms": 10_000,
        "paid_from_ms": NOW,
        "paid_until_ms": NOW + 40_000,
        "free_from_ms": 0,
        "free_until_ms": 0,
    }
    return Purchase(**{**values, **changes})  # type: ignore[arg-type]
