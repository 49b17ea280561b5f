"""Reasons why the ingest rejected senders, as its collector (`gateway.ingest`) stores them, for operators."""

from chalicelib.domain.streams.ingest import ListenProtocol
from chalicelib.domain.streams.issues.ingest_refusals import (
    NEWS_MS,
    WAITING_FOR_SENDER,
    IngestRefusal,
    decode,
    encode,
    ingest_refusals_key,
    merge,
)
from chalicelib.domain.streams.stream import DesiredState
from chalicelib.ports.common import Clock, StoreUnavailable
from chalicelib.ports.streams.media import MediaStore
from chalicelib.services.streams.views import StreamView


class IngestRefusals:
    """Adds rejections to a stream's object, and reads them."""

    def __init__(self, media: MediaStore, clock: Clock) -> None:
        self._media = media
        self._clock = clock

    def newest(self, stream_id: str) -> tuple[IngestRefusal, ...]:
        """Return one rejection for each reason, newest first. The caller knows that the stream exists."""
        stored = self._media.get(ingest_refusals_key(stream_id))
        return merge(decode(stored.body) if stored else (), now_ms=self._clock.now_ms())

    def add(self, stream_id: str, refusals: tuple[IngestRefusal, ...]) -> None:
        """Add counts. Raise `EtagMismatch` after a concurrent write; nothing was added, so retry."""
        key = ingest_refusals_key(stream_id)
        stored = self._media.get(key)
        body = encode(merge(decode(stored.body) if stored else (), refusals, now_ms=self._clock.now_ms()))
        etag = stored.etag if stored else None
        self._media.put(key, body, "application/json", if_match=etag, if_absent=etag is None)

    def last_error(self, view: StreamView) -> str | None:
        """Return the worker's error, with the newest rejection if the worker only misses a sender."""
        stream, runtime = view.stream, view.runtime
        rtmp = stream.listening is not None and stream.listening.protocol is ListenProtocol.RTMP
        # An open source reports its own errors.
        waits = runtime.source is None if runtime.last_error is None else WAITING_FOR_SENDER in runtime.last_error
        if not rtmp or not waits or stream.desired_state is not DesiredState.LIVE:
            return runtime.last_error
        try:
            newest = next(iter(self.newest(stream.stream_id)), None)
        except StoreUnavailable:
            return runtime.last_error
        # A rejection before the stream went down is not its cause.
        since_ms = max(self._clock.now_ms() - NEWS_MS, runtime.down_since_ms or 0)
        if newest is None or newest.last_at_ms <= since_ms:
            return runtime.last_error
        return f"{runtime.last_error}; {newest.detail}" if runtime.last_error else newest.detail
