"""The denylist of CloudFront's function (gateway/edge/viewer_request.js): keys in its KeyValueStore.

Entries reach all edges within seconds, not at once. CloudFront determines how long a kick takes there.
"""

import time

from chalicelib.adapters.access.file_denylist import SESSION_ENTRY_MS
from chalicelib.adapters.access.keyvalue_store import KEYS_PER_WRITE_MAX, KeyValueStore
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import SESSION_ID, STREAM_ID
from chalicelib.ports.common import StoreUnavailable

SESSION_PREFIX, STREAM_PREFIX = "session/", "stream/"
# About 75 bytes each. A store holds 5 MB, and entries of streams and keys must always fit.
ENTRIES_MAX = 50_000
LISTED_MAX = 10_000


class KeyValueDenylist:
    """The port `Denylist` over a KeyValueStore: `session/<id>` with reason and time, `stream/<id>` with its reason."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        if not SESSION_ID.fullmatch(session_id):
            raise ValueError(f"{session_id!r} is no session id")
        now_ms = time.time_ns() // 1_000_000
        if self._store.count() >= ENTRIES_MAX and not self.sweep(now_ms):
            raise StoreUnavailable(f"the denylist is full: {ENTRIES_MAX} entries, and none is old enough to delete")
        self._store.write({SESSION_PREFIX + session_id: f"{reason.value} {now_ms}"})

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        # Repeated every minute, and each write delays others.
        if self._store.get(_stream_key(stream_id)) != reason.value:
            self._store.write({_stream_key(stream_id): reason.value})

    def allow_stream(self, stream_id: str) -> None:
        if self._store.get(_stream_key(stream_id)) is not None:
            self._store.write({}, [_stream_key(stream_id)])

    def sweep(self, now_ms: int) -> int:
        old = [key for key, value in self._store.items(LISTED_MAX) if _is_old(key, value, now_ms)]
        for first in range(0, len(old), KEYS_PER_WRITE_MAX):
            self._store.write({}, old[first : first + KEYS_PER_WRITE_MAX])
        return len(old)


def _stream_key(stream_id: str) -> str:
    if not STREAM_ID.fullmatch(stream_id):
        raise ValueError(f"{stream_id!r} is no stream id")
    return STREAM_PREFIX + stream_id


def _is_old(key: str, value: str, now_ms: int) -> bool:
    entered_ms = value.rpartition(" ")[2]
    return key.startswith(SESSION_PREFIX) and entered_ms.isdecimal() and now_ms - int(entered_ms) > SESSION_ENTRY_MS
