"""Wallets, sessions and purchases as the suite over the stores begins with."""

from typing import Any

from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lease import Outcome, Purchase
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.wallets import Payment, Wallet, utc_day
from chalicelib.ports.money.money import OnTimeBeat
from chalicelib.stores import Stores
from tests.fakes.money.sessions import active_session, session_record

NOW = 1_800_000_000_000
SESSIONS_MAX = 4
PURCHASE = Purchase(
    outcome=Outcome.LATE,
    charge_millipoints=10_000,
    granted_ms=10_000,
    paid_from_ms=NOW,
    paid_until_ms=NOW + 40_000,
    free_from_ms=0,
    free_until_ms=0,
)


def payment(user_id: str, millipoints: int, payment_id: str | None = None) -> Payment:
    made = {"payment_id": payment_id or new_session_id(), "note": "top-up", "by_user_id": "u_admin", "at_ms": NOW}
    return Payment(user_id=user_id, millipoints=millipoints, **made)  # type: ignore[arg-type]


def funded(money: Stores, millipoints: int) -> str:
    user_id = new_user_id()
    money.wallets.create(user_id)
    money.wallets.begin_day(user_id, utc_day(NOW))
    if millipoints:
        assert money.wallets.pay(payment(user_id, millipoints))
    return user_id


def a_beat(session: ActiveSession, seq: int, now_ms: int, outage_ms: int = 0) -> OnTimeBeat:
    return OnTimeBeat(
        session_id=session.session_id, stream_id=session.stream_id, seq=seq, now_ms=now_ms, outage_ms=outage_ms
    )


def record_of(user_id: str, session: ActiveSession) -> SessionRecord:
    ids = {"session_id": session.session_id, "user_id": user_id}
    return session_record(NOW, **ids, due_shard=3, due_ms=NOW + 120_000)


def started(money: Stores, user_id: str, **changes: Any) -> ActiveSession:
    session = active_session(NOW, session_id=new_session_id(), **changes)
    money.wallets.start(user_id, session, record_of(user_id, session), SESSIONS_MAX, 0)
    return session


def watching(money: Stores, millipoints: int = 100_000, **changes: Any) -> tuple[str, ActiveSession]:
    """A user and the session that they started."""
    user_id = funded(money, millipoints)
    return user_id, started(money, user_id, **changes)


def wallet_of(money: Stores, user_id: str) -> Wallet:
    wallet = money.wallets.get(user_id)
    assert wallet is not None
    return wallet


def record_now(money: Stores, session_id: str) -> SessionRecord:
    record = money.sessions.get(session_id)
    assert record is not None
    return record
