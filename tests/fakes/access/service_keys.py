"""The port `ServiceKeyStore` in memory."""

from dataclasses import replace

from chalicelib.domain.access.service_keys import ServiceKey
from chalicelib.ports.common import ListPage, RowRefused
from tests.fakes.simple import page_of


class MemoryServiceKeys:
    def __init__(self) -> None:
        self.rows: dict[str, ServiceKey] = {}

    def add(self, key: ServiceKey) -> None:
        self.rows[key.key_id] = key

    def remove(self, key_id: str) -> None:
        self.rows.pop(key_id, None)

    def get(self, key_id: str) -> ServiceKey | None:
        return self.rows.get(key_id)

    def list(self, *, limit: int, cursor: str | None) -> ListPage[ServiceKey]:
        return page_of(self.rows.values(), limit, cursor)

    def count_usable(self, now_ms: int) -> int:
        return sum(key.is_usable(now_ms) for key in self.rows.values())

    def rotate(self, seen: ServiceKey, new: ServiceKey) -> None:
        key = self.rows[seen.key_id]
        if (key.secrets, key.expires_at_ms) != (seen.secrets, seen.expires_at_ms) or key.revoked_at_ms is not None:
            raise RowRefused
        self.rows[seen.key_id] = replace(key, secrets=new.secrets, expires_at_ms=new.expires_at_ms)

    def revoke(self, key_id: str, now_ms: int) -> ServiceKey | None:
        key = self.rows.get(key_id)
        if key is not None and key.revoked_at_ms is None:
            key = self.rows[key_id] = replace(key, revoked_at_ms=now_ms)
        return key

    def mark_used(self, key_id: str, now_ms: int) -> None:
        key = self.rows.get(key_id)
        if key is not None and (key.last_used_at_ms or 0) < now_ms:
            self.rows[key_id] = replace(key, last_used_at_ms=now_ms)
