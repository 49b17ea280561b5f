"""Wallets, sessions and purchases as the suite over the stores begins with."""

from dataclasses import replace
from typing import Any

from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lease import Outcome, Purchase
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession, SessionKind, SessionRecord
from chalicelib.domain.money.wallets import Payment, Wallet, utc_day
from chalicelib.ports.money import OnTimeBeat
from tests.contract.conftest import MoneyStores

NOW = 1_800_000_000_000
SESSIONS_MAX = 4
TERMS: dict[str, Any] = {
    "stream_id": "stream-1",
    "kind": SessionKind.VIEWING,
    "started_at_ms": NOW,
    "rate_millipoints_per_minute": 60_000,
    "lease_ms": 10_000,
}
SESSION = ActiveSession(
    **TERMS,
    session_id="",
    charge_millipoints=10_000,
    seq=1,
    paid_from_ms=NOW,
    paid_until_ms=NOW + 10_000,
    charged_millipoints=10_000,
    budget_millipoints=MILLIPOINTS_MAX,
    granted_ms=10_000,
)
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


def funded(money: MoneyStores, millipoints: int) -> str:
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
    terms = {name: getattr(session, name) for name in ("session_id", *TERMS)}
    return SessionRecord(**terms, user_id=user_id, due_shard=3, due_ms=NOW + 120_000)


def started(money: MoneyStores, user_id: str, **changes: Any) -> ActiveSession:
    session = replace(SESSION, session_id=new_session_id(), **changes)
    money.wallets.start(user_id, session, record_of(user_id, session), SESSIONS_MAX, 0)
    return session


def watching(money: MoneyStores, millipoints: int = 100_000, **changes: Any) -> tuple[str, ActiveSession]:
    """A user and the session that they started."""
    user_id = funded(money, millipoints)
    return user_id, started(money, user_id, **changes)


def wallet_of(money: MoneyStores, user_id: str) -> Wallet:
    wallet = money.wallets.get(user_id)
    assert wallet is not None
    return wallet


def record_now(money: MoneyStores, session_id: str) -> SessionRecord:
    record = money.sessions.get(session_id)
    assert record is not None
    return record
