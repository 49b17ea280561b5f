"""The media bucket, and the denylist of a gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypedDict, Unpack

from chalicelib.domain.end_reasons import EndReason


@dataclass(frozen=True)
class StoredObject:
    """An object of the media bucket."""

    body: bytes
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class EtagMismatch(Exception):
    """The object is not the expected one: another writer changed it."""


class PutOptions(TypedDict, total=False):
    """The conditions of a write, and what is stored beside the object.

    `metadata` is sent with every response; names are lower case. Objects with `expires` may be deleted by the store
    after some days; all others under `streams/` stay.
    """

    if_match: str | None
    if_absent: bool
    metadata: Mapping[str, str]
    expires: bool


class MediaStore(Protocol):
    """The private bucket of segments and playlists."""

    def get(self, key: str) -> StoredObject | None:
        """Return the object, or None."""

    def put(self, key: str, body: bytes, content_type: str, **options: Unpack[PutOptions]) -> str:
        """Write the object and return its new ETag. Raise `EtagMismatch` if a condition does not hold."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete up to 1000 objects. Missing ones are no error."""

    def list(self, prefix: str, *, limit: int) -> Sequence[str]:
        """Return up to `limit` keys under a prefix, in order."""

    def signed_query(self, key: str, expires_s: int) -> str:
        """Return the query string of a GET of this object, signed like S3's `s3v4`."""


class Denylist(Protocol):
    """What a gateway rejects at once, despite cached decisions. Entries outlive the longest token."""

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        """Reject a session. When this returns, the gateway serves nothing to it."""

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        """Reject all viewers of a stream."""

    def allow_stream(self, stream_id: str) -> None:
        """Remove a stream, which is live again."""

    def sweep(self, now_ms: int) -> int:
        """Delete session entries older than every token, and return how many."""
