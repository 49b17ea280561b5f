"""The private bucket, and what a gateway must refuse at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.domain.end_reasons import EndReason


@dataclass(frozen=True)
class StoredObject:
    """An object of the media bucket."""

    body: bytes
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class EtagMismatch(Exception):
    """The object is not the one that the writer expected: somebody else wrote it."""


class MediaStore(Protocol):
    """The private bucket of segments and playlists."""

    def get(self, key: str) -> StoredObject | None:
        """The object, or None."""
        ...

    def put(
        self,
        key: str,
        body: bytes,
        content_type: str,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        metadata: Mapping[str, str] | None = None,
        expires: bool = False,
    ) -> str:
        """Write the object and answer its new ETag; `EtagMismatch` if `if_match` or `if_absent` does not hold.

        `metadata` is kept beside the object and comes with every answer that serves it; names are lower case.
        What `expires` may be deleted by the store itself after some days; all else under `streams/` is kept.
        """
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete up to 1000 objects; those that do not exist are no error."""
        ...

    def list(self, prefix: str, *, limit: int) -> Sequence[str]:
        """Up to `limit` keys under a prefix, in order."""
        ...

    def signed_query(self, key: str, expires_s: int) -> str:
        """The query string of a GET of that one object, signed with the method of S3's `s3v4`."""
        ...


class Denylist(Protocol):
    """What a gateway must refuse at once, ahead of its cached verdicts. Entries outlive the longest token."""

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        """From the return of this call on, the gateway serves nothing to this session."""
        ...

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        """One entry for all viewers of a stream."""
        ...

    def allow_stream(self, stream_id: str) -> None:
        """The stream is live again."""
        ...

    def sweep(self, now_ms: int) -> int:
        """Drop session entries that have outlived every token; answers how many."""
        ...
