"""The playback endpoints of the HTTP API: start, heartbeat, stop."""

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from player.auth.account import Account
from player.errors import UnreachableError

MS_PER_MINUTE = 60_000


@dataclass(frozen=True)
class Lease:
    """The state of a session in the server's latest response. `seq` is the last heartbeat that counted.

    `others_spending` is the number of other sessions that spend from the same wallet; `seconds_left` includes them.
    """

    session_id: str
    seq: int
    play_token: str
    play_url: str
    expires_in_s: float
    next_beat_in_ms: int
    lease_ms: int
    balance_millipoints: int
    rate_millipoints_per_minute: int
    seconds_left: float | None
    others_spending: int
    charged_millipoints: int
    outcome: str

    @classmethod
    def from_response(cls, response: dict[str, Any], seq: int) -> "Lease":
        """Build a lease from the answer to `start` (seq 1) or `heartbeat` (the requested `seq`)."""
        rate, lease_ms = response["rate_millipoints_per_minute"], response["lease_ms"]
        outcome = response.get("outcome") or "on_time"
        price_of_lease = math.ceil(rate * lease_ms / MS_PER_MINUTE)
        return cls(
            session_id=response["session_id"],
            seq=response.get("seq") or (seq - 1 if outcome == "early" else seq),
            play_token=response["play_token"],
            play_url=response.get("play_url") or "",
            expires_in_s=response["expires_in"],
            next_beat_in_ms=response["next_beat_in_ms"],
            lease_ms=lease_ms,
            balance_millipoints=response["balance_millipoints"],
            rate_millipoints_per_minute=rate,
            seconds_left=response.get("seconds_left"),
            others_spending=response.get("others_spending") or 0,
            charged_millipoints=response.get("charged_millipoints", price_of_lease),
            outcome=outcome,
        )


@dataclass(frozen=True)
class Totals:
    """The server's totals of a session that has ended."""

    end_reason: str
    charged_millipoints: int
    balance_millipoints: int
    watched_ms: int | None


class PlaybackApi:
    """Playback requests of one account to `server`. All methods raise the errors of Account.call."""

    def __init__(self, account: Account) -> None:
        self.server = account.server
        self._account = account

    def stream(self, stream_id: str) -> dict[str, Any]:
        """Return a stream."""
        return self._account.call("GET", f"/streams/{quote(stream_id, safe='')}")

    def start(
        self, stream_id: str, key: str, timeout_s: float, replace: bool = False, max_points: int | None = None
    ) -> Lease:
        """Start a session and buy its first lease. A retry with the same `key` returns the same session."""
        body: dict[str, Any] = {"stream_id": stream_id, "idempotency_key": key}
        if replace:
            body["replace"] = True
        if max_points is not None:
            body["max_points"] = max_points
        return _lease(self._account.call("POST", "/playback/start", body, timeout_s), 1)

    def heartbeat(self, session_id: str, seq: int, timeout_s: float) -> Lease:
        """Buy the next lease. A retry with the same `seq` is not charged again."""
        body = {"session_id": session_id, "seq": seq}
        return _lease(self._account.call("POST", "/playback/heartbeat", body, timeout_s), seq)

    def stop(self, session_id: str, timeout_s: float) -> Totals:
        """End a session; unserved time is refunded. A retry returns the same response."""
        response = self._account.call("POST", "/playback/stop", {"session_id": session_id}, timeout_s)
        charged, balance = response["charged_millipoints"], response["balance_millipoints"]
        return Totals(response["end_reason"], charged, balance, response.get("watched_ms"))


def _lease(response: dict[str, Any], seq: int) -> Lease:
    """Return the lease in an response. An answer without a field counts as none, so that the caller retries."""
    try:
        return Lease.from_response(response, seq)
    except (KeyError, TypeError) as error:
        raise UnreachableError("this address", f"its answer lacks {error}") from None
