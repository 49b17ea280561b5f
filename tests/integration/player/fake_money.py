"""The money part of the fake platform: wallet, cap, leases, endings, ledger.

It follows the rules of docs/billing.md, on one lock instead of a database. Times are real.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from fake_ledger import USER_ID, FakeLedger, now_ms, part_of

LAPSE_MS = 600_000
GRACE_MS = 1_000
DAY_MS = 86_400_000
STATUS_OF = {
    "balance_exhausted": 402,
    "daily_cap_reached": 402,
    "lease_expired": 402,
    "max_points_reached": 402,
    "kicked": 403,
    "superseded": 403,
}
OF_WATCHING = ("lease", "refund", "outage_credit")


@dataclass
class Session:
    session_id: str
    stream_id: str
    charge: int
    lease_ms: int
    max_points: int | None
    paid_until: int
    started_at_ms: int
    seq: int = 1
    charged: int = 0
    charges: dict[int, int] = field(default_factory=dict)
    end_reason: str | None = None
    ended_at_ms: int | None = None
    refunded: int = 0
    granted_ms: int = 0
    watched_ms: int = 0


class Refusal(Exception):
    def __init__(self, status: int, code: str, headers: dict[str, str] | None = None, **fields: Any) -> None:
        super().__init__(code)
        self.status, self.headers = status, headers or {}
        self.document = {
            "type": "about:blank", "title": code, "status": status, "code": code, "detail": f"Refused: {code}.",
            **fields,
        }  # fmt: skip


class FakeMoney(FakeLedger):
    """Wallet, sessions and ledger of the one viewer. Tests set the attributes to steer it."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.cap: int | None = None
        self.rate, self.lease_ms = 60_000, 2_000
        self.sessions: dict[str, Session] = {}
        self.play_tokens: dict[str, tuple[str, int]] = {}  # play token -> (session, expires ms)
        self.stream_state = "live"
        self.session_limit = 3
        self.stream_full = False
        self.renditions: list[dict[str, Any]] = []
        self.live_start_index = -3
        self.title = "Test stream"
        self.media_url: str | None = None  # where play_url leads, if that is not this server
        self.media_measured: tuple[int, int] | None = None  # milliseconds, bytes
        self.top_up(100_000, "welcome")

    # --- for tests

    def outage(self, session_id: str, millipoints: int) -> None:
        """Give back what a session paid for time inside an outage."""
        with self.lock:
            session = self.sessions[session_id]
            session.charged -= millipoints
            self.balance += millipoints
            self._note_of(session, f"o.{session.stream_id}.{now_ms()}.{session_id}", "outage_credit", millipoints)

    def adjust(self, session_id: str, millipoints: int, payment_id: str, note: str) -> None:
        with self.lock:
            self.balance += millipoints
            words = {"payment_id": payment_id, "note": note}
            self._note_of(self.sessions[session_id], f"p.{payment_id}", "adjustment", millipoints, **words)

    def end(self, reason: str, session_id: str | None = None) -> None:
        with self.lock:
            for session in self.sessions.values():
                if session_id in (None, session.session_id):
                    self._end(session, reason)

    def expire_lease(self) -> None:
        """Let the active sessions lapse, as if they had not beaten for a very long time."""
        self.end("lease_expired")

    # --- selling

    def _pay(self, session: Session, seq: int, lease_from: int) -> None:
        sold = min(session.charge, self._available(session))
        sold_ms = session.lease_ms if sold == session.charge else max(1, session.lease_ms * sold // session.charge)
        self.balance -= sold
        session.charged += sold
        session.charges[seq] = sold
        session.seq = seq
        session.paid_until = lease_from + sold_ms
        session.granted_ms += sold_ms
        self._note_of(session, f"{session.session_id}.{seq}", "lease", -sold, seq=seq)

    def _available(self, session: Session) -> int:
        limits = [self.balance]
        if self.cap is not None:
            limits.append(max(0, self.cap - self.spent_today()))
        if session.max_points is not None:
            limits.append(session.max_points * 1000 - session.charged)
        return min(limits)

    def _nothing_left(self, session: Session) -> str:
        if self.balance == 0:
            return "balance_exhausted"
        own = session.max_points is not None and session.charged >= session.max_points * 1000
        return "max_points_reached" if own else "daily_cap_reached"

    def spent_today(self) -> int:
        return -sum(entry["delta_millipoints"] for entry in self.ledger if entry["kind"] in OF_WATCHING)

    def _end(self, session: Session, reason: str) -> None:
        if session.end_reason:
            return
        session.end_reason, session.ended_at_ms = reason, now_ms()
        unserved = max(0, session.paid_until - now_ms())
        session.watched_ms = session.granted_ms - unserved
        session.refunded = min(session.charged, session.charge * unserved // session.lease_ms)
        session.charged -= session.refunded
        self.balance += session.refunded
        self._note_of(session, f"{session.session_id}.end", "refund", session.refunded)

    def start(self, body: dict[str, Any]) -> dict[str, Any]:
        key = body.get("idempotency_key")
        session_id = f"s-{hashlib.sha256((key or secrets.token_hex(8)).encode()).hexdigest()[:12]}"
        if session_id in self.sessions:
            return self._started_before(self.sessions[session_id], body)
        self.stream(body["stream_id"])
        if self.stream_state != "live":
            raise Refusal(409, "stream_not_live")
        if self.stream_full:
            raise Refusal(409, "stream_full", sessions=[])
        self._make_room(body)
        now = now_ms()
        charge = -(-self.rate * self.lease_ms // 60_000)
        session = Session(session_id, body["stream_id"], charge, self.lease_ms, body.get("max_points"), now, now)
        if charge and self._available(session) == 0:
            reason = self._nothing_left(session)
            raise Refusal(402, reason, end_reason=reason)
        self.sessions[session.session_id] = session
        self._pay(session, 1, now)
        return {**self._state(session), "outcome": "on_time", "charged_millipoints": session.charges[1]}

    def _started_before(self, session: Session, body: dict[str, Any]) -> dict[str, Any]:
        if (session.stream_id, session.max_points) != (body["stream_id"], body.get("max_points")):
            raise Refusal(409, "idempotency_mismatch")
        if session.end_reason:
            raise self._over(session)
        return {**self._state(session), "outcome": "replay", "charged_millipoints": session.charges[session.seq]}

    def _make_room(self, body: dict[str, Any]) -> None:
        active = [s for s in self.sessions.values() if not s.end_reason]
        if len(active) >= self.session_limit:
            if not body.get("replace"):
                fields = ("session_id", "stream_id", "started_at_ms")
                raise Refusal(409, "session_limit", sessions=[{f: getattr(s, f) for f in fields} for s in active])
            self._end(min(active, key=lambda s: s.started_at_ms), "superseded")

    def heartbeat(self, body: dict[str, Any]) -> dict[str, Any]:
        session, seq, now = self._session(body["session_id"]), body["seq"], now_ms()
        if session.end_reason:
            raise self._over(session)
        if seq <= session.seq:
            outcome = "replay" if seq == session.seq else "stale"
            return {**self._state(session), "outcome": outcome, "charged_millipoints": session.charges.get(seq, 0)}
        horizon = min(session.lease_ms // 2, 5_000)
        if session.paid_until < now - LAPSE_MS:
            self._end(session, "lease_expired")
            raise self._over(session)
        empty = self._available(session) == 0 and session.charge > 0
        if session.paid_until > now + horizon or (empty and now < session.paid_until):
            return {**self._state(session), "outcome": "early", "charged_millipoints": 0}
        if empty:
            self._end(session, self._nothing_left(session))
            raise self._over(session)
        late = session.paid_until < now
        self._pay(session, seq, now if late else session.paid_until)
        return {
            **self._state(session), "outcome": "late" if late else "on_time",
            "charged_millipoints": session.charges[seq],
        }  # fmt: skip

    def stop(self, body: dict[str, Any]) -> dict[str, Any]:
        session = self._session(body["session_id"])
        self._end(session, "viewer_stopped")
        return {
            "session_id": session.session_id, "end_reason": session.end_reason, "charged_millipoints": session.charged,
            "refunded_millipoints": session.refunded, "balance_millipoints": self.balance,
            "watched_ms": session.watched_ms,
        }  # fmt: skip

    def _session(self, session_id: str) -> Session:
        session = self.sessions.get(session_id)
        if session is None:
            raise Refusal(404, "session_not_found")
        return session

    def _over(self, session: Session) -> Refusal:
        reason = str(session.end_reason)
        return Refusal(
            STATUS_OF.get(reason, 410), reason, end_reason=reason,
            charged_millipoints=session.charged, balance_millipoints=self.balance, watched_ms=session.watched_ms,
        )  # fmt: skip

    def _state(self, session: Session) -> dict[str, Any]:
        token, now = "p." + secrets.token_hex(8), now_ms()
        expires = session.paid_until + GRACE_MS
        self.play_tokens[token] = (session.session_id, expires)
        horizon = min(session.lease_ms // 2, 5_000)
        due = session.paid_until - (horizon if self._available(session) else 0)
        return {
            "session_id": session.session_id, "seq": session.seq, "play_token": token,
            "play_url": f"{self.media_url or self.url}/play/{session.session_id}/index.m3u8",
            "expires_in": max(0, expires - now) / 1000, "next_beat_in_ms": max(0, due - now) + 100,
            "lease_ms": session.lease_ms, "paid_until_ms": session.paid_until, "balance_millipoints": self.balance,
            "rate_millipoints_per_minute": self.rate,
            "seconds_left": (max(0, session.paid_until - now) + self.balance * 60_000 // self.rate) // 1000,
            "others_spending": sum(not s.end_reason for s in self.sessions.values() if s is not session),
        }  # fmt: skip

    # --- reading

    def stream(self, stream_id: str) -> dict[str, Any]:
        if stream_id != "stream-1":
            raise Refusal(404, "stream_not_found")
        return {
            "stream_id": "stream-1", "title": self.title, "rate_millipoints_per_minute": self.rate,
            "lease_ms": self.lease_ms, "state": self.stream_state, "desired_state": "live",
            "renditions": self.renditions, "viewers_max": None,
            "live_start_index": self.live_start_index,
        }  # fmt: skip

    def wallet(self) -> dict[str, Any]:
        active = [
            {
                "session_id": s.session_id, "stream_id": s.stream_id, "started_at_ms": s.started_at_ms,
                "rate_millipoints_per_minute": self.rate, "charged_millipoints": s.charged,
            }
            for s in self.sessions.values() if not s.end_reason
        ]  # fmt: skip
        return {
            "user_id": USER_ID, "balance_millipoints": self.balance, "version": len(self.ledger), "sessions": active,
            "daily_cap_millipoints": self.cap, "spent_today_millipoints": self.spent_today(),
            "day_ends_at_ms": (now_ms() // DAY_MS + 1) * DAY_MS,
        }  # fmt: skip

    def set_cap(self, body: dict[str, Any]) -> dict[str, Any]:
        self.cap = body["daily_cap_millipoints"]
        return self.wallet()

    def own_sessions(self, query: dict[str, list[str]]) -> dict[str, Any]:
        newest = [self.own_session(session_id) for session_id in reversed(self.sessions)]
        return part_of(newest, query)

    def own_session(self, session_id: str) -> dict[str, Any]:
        session = self._session(session_id)
        media_ms, media_bytes = self.media_measured or (None, None)
        return {
            "session_id": session_id, "stream_id": session.stream_id, "kind": "viewing",
            "active": session.end_reason is None, "started_at_ms": session.started_at_ms,
            "rate_millipoints_per_minute": self.rate,
            "charged_millipoints": session.charged if session.end_reason else None,
            "refunded_millipoints": session.refunded if session.end_reason else None,
            "ended_at_ms": session.ended_at_ms, "end_reason": session.end_reason,
            "watched_ms": session.watched_ms if session.end_reason else None,
            "granted_ms": session.granted_ms, "media_ms": media_ms, "media_bytes": media_bytes,
        }  # fmt: skip

    def session_ledger(self, session_id: str, query: dict[str, list[str]]) -> dict[str, Any]:
        self._session(session_id)
        return part_of([entry for entry in self.ledger if entry["session_id"] == session_id], query)

    def _note_of(self, session: Session, entry_id: str, kind: str, delta: int, **fields: Any) -> None:
        named = {"session_id": session.session_id, "stream_id": session.stream_id}
        self._note(entry_id, kind, delta, **named, **fields)
