"""A lease with any fields, a server with scripted answers, a vault in memory."""

import threading
from typing import Any

from player.auth.vault import Vault, VaultError
from player.http.client import ProblemError
from player.session.playback_api import Funds, Lease, Totals


def lease(**fields: Any) -> Lease:
    answer = {
        "session_id": "s-1", "play_token": "t-1", "play_url": "http://gw/play/s-1/index.m3u8", "expires_in": 15,
        "next_beat_in_ms": 5_000, "lease_ms": 10_000, "balance_millipoints": 90_000,
        "rate_millipoints_per_minute": 60_000, "seconds_left": 100, "charged_millipoints": 10_000, "seq": 1,
        "outcome": "on_time", "others_spending": 0,
    }  # fmt: skip
    answer.update(fields)
    return Lease.from_response(answer, seq=answer["seq"])


def over(reason: str, **fields: Any) -> ProblemError:
    return ProblemError(402, {"code": reason, "end_reason": reason, **fields})


class Held:
    """An answer that comes once the test releases it."""

    def __init__(self, answer: Lease | Exception):
        self.answer, self.is_asked, self.is_released = answer, threading.Event(), threading.Event()

    def wait(self) -> Lease | Exception:
        self.is_asked.set()
        assert self.is_released.wait(10)
        return self.answer


class ScriptedServer:
    """A server with answers to heartbeats and starts, then `stream_stopped`, and with end reasons for stops.

    Tests set `wallets`, the answers about the wallet, of which the last one stays; and what account and stream answer.
    """

    def __init__(self, *answers: Lease | Exception | Held, ends: tuple[str | Exception, ...] = ()):
        self.answers, self.ends = list(answers), list(ends)
        self.heartbeats: list[tuple[str, int]] = []
        self.starts: list[tuple[Any, ...]] = []
        self.stops: list[str] = []
        self.wallets: list[Funds | Exception] = [Funds(0, 0, None)]
        self.account: Exception | None = None
        self.state: str | Exception = "live"

    def heartbeat(self, session_id: str, seq: int, timeout_s: float) -> Lease:
        self.heartbeats.append((session_id, seq))
        return self._answer(self.answers, over("stream_stopped"))

    def start(self, stream_id: str, key: str, timeout_s: float, *options: Any) -> Lease:
        self.starts.append((stream_id, key, *options))
        return self._answer(self.answers, over("stream_stopped"))

    def stop(self, session_id: str, timeout_s: float) -> Totals:
        self.stops.append(session_id)
        return Totals(self._answer(self.ends, "viewer_stopped"), 2_000, 80_000, 2_000)

    def funds(self, timeout_s: float) -> Funds:
        return self._answer(self.wallets[:1] if len(self.wallets) == 1 else self.wallets, None)

    def check_account(self, timeout_s: float) -> None:
        if self.account is not None:
            raise self.account

    def stream(self, stream_id: str, timeout_s: float) -> dict[str, Any]:
        return {"desired_state": self._answer([self.state], None)}

    def _answer(self, answers: list[Any], last: Any) -> Any:
        answer = answers.pop(0) if answers else last
        answer = answer.wait() if isinstance(answer, Held) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer


class MemoryVault(Vault):
    """A keyring in memory. If `locked`, every call fails."""

    def __init__(self):
        self.secrets: dict[str, str] = {}
        self.locked = False

    def get(self, key: str) -> str | None:
        self._check()
        return self.secrets.get(key)

    def set(self, key: str, secret: str):
        self._check()
        self.secrets[key] = secret

    def delete(self, key: str):
        self._check()
        self.secrets.pop(key, None)

    def _check(self):
        if self.locked:
            raise VaultError("locked")
