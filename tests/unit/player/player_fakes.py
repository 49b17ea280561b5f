"""Fakes for the unit tests: a lease with any fields, a heartbeat with its queue of reports, a vault in memory."""

import queue
from typing import Any

from player.auth.vault import Vault, VaultError
from player.media.credentials import CredentialsProvider
from player.session.charges import Charges
from player.session.heartbeat import Heartbeat
from player.session.playback_api import Lease
from player.session.start import PlayRequest


def lease(**fields: Any) -> Lease:
    answer = {
        "session_id": "s-1", "play_token": "t-1", "play_url": "http://gw/play/s-1/index.m3u8", "expires_in": 15,
        "next_beat_in_ms": 5_000, "lease_ms": 10_000, "balance_millipoints": 90_000,
        "rate_millipoints_per_minute": 60_000, "seconds_left": 100, "charged_millipoints": 10_000, "seq": 1,
        "outcome": "on_time", "others_spending": 0,
    }  # fmt: skip
    answer.update(fields)
    return Lease.from_response(answer, seq=answer["seq"])


class HeartbeatRig:
    """A heartbeat that is not started, with its credentials, charges and reports."""

    def __init__(self, server: Any, first: Lease, max_points: int | None = None) -> None:
        self.server, self.charges, self.credentials = server, Charges(), CredentialsProvider()
        self._reports: queue.SimpleQueue[Any] = queue.SimpleQueue()
        request, put = PlayRequest("stream-1", max_points), self._reports.put
        self.heartbeat = Heartbeat(server, request, first, self.credentials, self.charges, put, put)

    def next_report(self) -> Any:
        return self._reports.get(timeout=5.0)


class MemoryVault(Vault):
    """A keyring in memory. If `locked`, every call fails."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.locked = False

    def get(self, key: str) -> str | None:
        self._check()
        return self.secrets.get(key)

    def set(self, key: str, secret: str) -> None:
        self._check()
        self.secrets[key] = secret

    def delete(self, key: str) -> None:
        self._check()
        self.secrets.pop(key, None)

    def _check(self) -> None:
        if self.locked:
            raise VaultError("locked")
