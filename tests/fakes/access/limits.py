"""The port `Limits` in memory."""

import threading

from chalicelib.domain.access.limits import Limit, wait_ms


class MemoryLimits:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.full_at_ms: dict[str, int] = {}

    def take(self, key: str, limit: Limit, now_ms: int) -> int:
        with self._lock:
            full_at_ms = self.full_at_ms.get(key, 0)
            wait = wait_ms(limit, full_at_ms, now_ms)
            if not wait:
                self.full_at_ms[key] = max(full_at_ms, now_ms) + limit.back_every_ms
            return wait

    def give_back(self, key: str, limit: Limit) -> None:
        with self._lock:
            if key in self.full_at_ms:
                self.full_at_ms[key] -= limit.back_every_ms
