"""The playback endpoints of the HTTP API: start, heartbeat, stop."""

import math
from dataclasses import dataclass
from typing import Any

from player.auth.account import Account
from player.errors import UnreachableError
from player.http.links import web_address
from player.http.paths import path_of
from player.terminal.text import printable

MS_PER_MINUTE = 60_000
_OTHER_TOTALS = ("balance_millipoints", "watched_ms", "reserved_millipoints")
# As long as the server allows.
MESSAGE_CHARS_MAX = 200


@dataclass(frozen=True)
class Lease:
    """The state of a session in the server's latest response. `seq` is the last heartbeat that counted.

    `others_spending` is the number of other sessions that spend from the same wallet; `seconds_left` includes them.
    `is_final` says that the points allow no lease after this one, and `top_up_url` where the viewer buys some.
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
    is_final: bool
    top_up_url: str | None

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
            is_final=response.get("final") is True,
            top_up_url=web_address(response.get("top_up_url")),
        )


@dataclass(frozen=True)
class Totals:
    """The server's totals of a session that has ended.

    `reserved_millipoints` of the charge come back as far as they were not fetched. `message` is an operator's.
    """

    end_reason: str
    charged_millipoints: int
    balance_millipoints: int | None
    watched_ms: int | None
    reserved_millipoints: int = 0
    message: str = ""

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "Totals | None":
        """Return the totals in an answer to `stop`, or in the problem of a session that has ended; None without."""
        reason, charged = fields.get("end_reason"), fields.get("charged_millipoints")
        if not isinstance(reason, str) or not isinstance(charged, int):
            return None
        balance, watched_ms, reserved = (fields.get(name) for name in _OTHER_TOTALS)
        return cls(reason, charged, balance, watched_ms, reserved or 0, message_of(fields))


@dataclass(frozen=True)
class Funds:
    """The points of a wallet. A start pays the debt, which is open from earlier viewing, first."""

    balance_millipoints: int
    debt_millipoints: int
    top_up_url: str | None

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "Funds":
        """Return the points in a wallet, or in a problem of a start or heartbeat."""
        balance, debt = (fields.get(f"{name}_millipoints") for name in ("balance", "debt"))
        return cls(int(balance or 0), int(debt or 0), web_address(fields.get("top_up_url")))

    @property
    def covers_debt(self) -> bool:
        """Whether a lease can be bought after the debt is paid."""
        return self.balance_millipoints > self.debt_millipoints


class PlaybackApi:
    """Playback requests of one account to `server`. All methods raise the errors of Account.call."""

    def __init__(self, account: Account) -> None:
        self.server = account.server
        self._account = account

    def stream(self, stream_id: str, timeout_s: float | None = None) -> dict[str, Any]:
        """Return a stream."""
        return self._account.call("GET", path_of("streams", stream_id), timeout_s=timeout_s)

    def funds(self, timeout_s: float) -> Funds:
        """Return the points in the wallet."""
        return Funds.from_fields(self._account.call("GET", "/me/wallet", timeout_s=timeout_s))

    def check_account(self, timeout_s: float) -> None:
        """Raise ProblemError if the account is disabled. Reading the wallet does not show it."""
        self._account.call("GET", "/me", timeout_s=timeout_s)

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
        totals = Totals.from_fields(response)
        if totals is None:
            raise UnreachableError("this address", "its answer has no totals")
        return totals


def message_of(fields: dict[str, Any]) -> str:
    """Return an operator's message to the viewer as a line of safe characters, empty without one."""
    message = fields.get("message")
    return printable(message[:MESSAGE_CHARS_MAX]) if isinstance(message, str) else ""


def _lease(response: dict[str, Any], seq: int) -> Lease:
    """Return the lease in an response. An answer without a field counts as none, so that the caller retries."""
    try:
        return Lease.from_response(response, seq)
    except (KeyError, TypeError) as error:
        raise UnreachableError("this address", f"its answer lacks {error}") from None
