"""The port `MediaStore` in memory, and one over any other that fails on request."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import Unpack

from chalicelib.ports.streams.media import EtagMismatch, MediaStore, PutOptions, StoredObject


class MemoryMedia:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.objects: dict[str, StoredObject] = {}
        # The keys of what the store may delete by itself.
        self.expiring: set[str] = set()

    def get(self, key: str) -> StoredObject | None:
        with self._lock:
            return self.objects.get(key)

    def put(self, key: str, body: bytes, content_type: str, **options: Unpack[PutOptions]) -> str:
        with self._lock:
            stored = self.objects.get(key)
            if options.get("if_absent") and stored is not None:
                raise EtagMismatch(key)
            if_match = options.get("if_match")
            if if_match is not None and (stored is None or stored.etag != if_match):
                raise EtagMismatch(key)
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            (self.expiring.add if options.get("expires") else self.expiring.discard)(key)
            self.objects[key] = StoredObject(body=body, etag=etag, metadata=options.get("metadata", {}))
            return etag

    def delete(self, keys: Sequence[str]) -> None:
        with self._lock:
            for key in keys:
                self.objects.pop(key, None)

    def list(self, prefix: str, *, limit: int) -> Sequence[str]:
        with self._lock:
            return sorted(key for key in self.objects if key.startswith(prefix))[:limit]

    def signed_query(self, key: str, expires_s: int) -> str:
        return f"key={key}&expires={expires_s}"


class FaultyMedia:
    """Calls `before(operation, key)` and `after(operation, key)`, which may raise what the port may raise.

    What `after` raises is the lost answer of something that was done.
    """

    def __init__(self, media: MediaStore) -> None:
        self._media = media
        self.before: Callable[[str, str], None] = lambda operation, key: None
        self.after: Callable[[str, str], None] = lambda operation, key: None

    def get(self, key: str) -> StoredObject | None:
        self.before("get", key)
        stored = self._media.get(key)
        self.after("get", key)
        return stored

    def put(self, key: str, body: bytes, content_type: str, **options: Unpack[PutOptions]) -> str:
        self.before("put", key)
        etag = self._media.put(key, body, content_type, **options)
        self.after("put", key)
        return etag

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.before("delete", key)
        self._media.delete(keys)

    def list(self, prefix: str, *, limit: int) -> Sequence[str]:
        self.before("list", prefix)
        return self._media.list(prefix, limit=limit)

    def signed_query(self, key: str, expires_s: int) -> str:
        return self._media.signed_query(key, expires_s)
