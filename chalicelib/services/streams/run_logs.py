"""The last lines of a stream's encoder runs, for operators."""

from chalicelib.domain.streams.run_logs import RunLog, decode, run_log_key
from chalicelib.ports.streams.media import MediaStore
from chalicelib.services.streams.streams import StreamsService


class RunLogsService:
    """Reads the run logs that the worker stored."""

    def __init__(self, streams: StreamsService, media: MediaStore) -> None:
        self._streams = streams
        self._media = media

    def newest(self, stream_id: str) -> tuple[RunLog, ...]:
        """Return the newest runs, newest first; none if the stream never ran. Raise `StreamNotFound`."""
        stored = self._media.get(run_log_key(self._streams.get(stream_id).stream_id))
        return decode(stored.body) if stored else ()
