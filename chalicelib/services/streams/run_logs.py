"""What the ffmpegs of a stream said last, for operators."""

from chalicelib.domain.streams.run_logs import RunLog, decode, run_log_key
from chalicelib.ports import MediaStore
from chalicelib.services.streams.streams import StreamsService


class RunLogsService:
    """Reads what the worker has stored."""

    def __init__(self, streams: StreamsService, media: MediaStore) -> None:
        self._streams = streams
        self._media = media

    def newest(self, stream_id: str) -> tuple[RunLog, ...]:
        """The newest runs, newest first; none if the stream never ran. Raises `StreamNotFound`."""
        stored = self._media.get(run_log_key(self._streams.get(stream_id).stream_id))
        return decode(stored.body) if stored else ()
