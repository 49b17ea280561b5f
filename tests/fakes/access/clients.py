"""The port `Clients` in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib.domain.access.clients import LOGIN_PREFIX, Client
from chalicelib.domain.timeline import LoginEvent, login_event
from chalicelib.ports.common import StoreUnavailable

MS_PER_DAY = 86_400_000


@dataclass
class Kept:
    user_id: str
    client: Client
    at_ms: int
    elsewhere: bool = False


class MemoryClients:
    def __init__(self, address_days: int = 30) -> None:
        self.rows: dict[str, Kept] = {}
        self.silent = False
        self._kept_ms = address_days * MS_PER_DAY

    def put(self, key: str, user_id: str, client: Client, now_ms: int) -> None:
        self.rows[key] = Kept(user_id, client, now_ms)

    def get_many(self, keys: Iterable[str], now_ms: int) -> Mapping[str, Client]:
        return {key: self.rows[key].client for key in keys if self._is_kept(key, now_ms)}

    def bind(self, key: str, user_id: str, client: Client, now_ms: int) -> Client:
        if self.silent:
            raise StoreUnavailable("silent")
        if not self._is_kept(key, now_ms):
            self.put(key, user_id, client, now_ms)
        return self.rows[key].client

    def mark_elsewhere(self, key: str) -> bool:
        row = self.rows.get(key)
        if row is None or row.elsewhere:
            return False
        row.elsewhere = True
        return True

    def logins_of_user(self, user_id: str, *, until_ms: int, limit: int, now_ms: int) -> list[LoginEvent]:
        keys = [key for key, row in self.rows.items() if row.user_id == user_id and self._is_kept(key, now_ms)]
        logins = [login_event(key, self.rows[key].client) for key in keys if key.startswith(LOGIN_PREFIX)]
        found = [each for each in logins if each.at_ms <= until_ms]
        return sorted(found, key=lambda each: each.login_id, reverse=True)[:limit]

    def delete(self, key: str) -> None:
        self.rows.pop(key, None)

    def delete_of_user(self, user_id: str, limit: int) -> int:
        found = [key for key, row in self.rows.items() if row.user_id == user_id][:limit]
        for key in found:
            del self.rows[key]
        return len(found)

    def _is_kept(self, key: str, now_ms: int) -> bool:
        return key in self.rows and now_ms // 1000 < (self.rows[key].at_ms + self._kept_ms) // 1000
