"""Sources of a stream's picture, as operators configure them."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.errors import Conflict


class IngestMode(StrEnum):
    """`pull` fetches a URL, `listen` waits for a sender, `file` loops a file, `test` generates a pattern."""

    PULL = "pull"
    LISTEN = "listen"
    FILE = "file"
    TEST = "test"


class ListenProtocol(StrEnum):
    """The protocol of a sender: RTMP at one port for all streams, SRT at a port for each stream."""

    RTMP = "rtmp"
    SRT = "srt"


BACKUPS_MAX = 3
SRT_PORT_MIN, SRT_PORT_MAX = 1024, 65535
# MPEG-TS numbers programmes with 16 bits; 0 is its network information.
PROGRAM_MAX = 65_535
AUDIO_TRACK_MAX = 32
# The RTMP application of all streams. OBS calls the URL up to here the server.
RTMP_APPLICATION = "live"


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """A source. `pull` has a `url`, `file` a `path` in the media directory, `listen` a `protocol`, SRT also a `port`.

    `program` is the number of an MPEG-TS programme. `audio_track` counts from 1 in the source's order. None lets the
    worker choose.
    """

    mode: IngestMode
    url: str | None = None
    path: str | None = None
    protocol: ListenProtocol | None = None
    port: int | None = None
    program: int | None = None
    audio_track: int | None = None


class IngestPortTaken(Conflict):
    """Another stream listens for SRT at this port; `extra` has the port and the id of that stream."""

    code = "ingest_port_taken"

    def __init__(self, port: int, stream_id: str) -> None:
        detail = f"The stream {stream_id} listens for SRT at port {port}."
        allowed = f"Choose another port from {SRT_PORT_MIN} to {SRT_PORT_MAX}."
        super().__init__(f"{detail} {allowed}", port=port, stream_id=stream_id)


def mode_fault(ingest: Ingest) -> str | None:
    """Return what is missing or superfluous for the mode, in words for the operator; None if nothing is."""
    given = {name for name, value in vars(ingest).items() if name != "mode" and value is not None}
    wanted = {
        IngestMode.PULL: {"url"},
        IngestMode.LISTEN: {"protocol", "port"} if ingest.protocol is ListenProtocol.SRT else {"protocol"},
        IngestMode.FILE: {"path"},
        IngestMode.TEST: set(),
    }[ingest.mode]
    if missing := wanted - given:
        return f"mode `{ingest.mode}` needs {' and '.join(sorted(missing))}"
    if extra := given - wanted - _choices(ingest):
        by = f" with protocol `{ingest.protocol}`" if ingest.protocol else ""
        return f"mode `{ingest.mode}`{by} takes no {' and no '.join(sorted(extra))}"
    return None


def _choices(ingest: Ingest) -> set[str]:
    """Return the optional fields of a source. A test pattern has none, and RTMP has no programmes."""
    if ingest.mode is IngestMode.TEST:
        return set()
    return {"audio_track"} if ingest.protocol is ListenProtocol.RTMP else {"audio_track", "program"}


def rtmp_server(host: str, port: int) -> str:
    """Return the RTMP URL for all senders: the server in OBS."""
    return f"rtmp://{host}:{port}/{RTMP_APPLICATION}"


def rtmp_stream_key(stream_id: str, ingest_key: str) -> str:
    """Return the stream key in OBS. After the server and a slash it is also the URL to play the stream from."""
    return f"{stream_id}?key={ingest_key}"


def srt_sender_url(host: str, port: int, ingest_key: str) -> str:
    """Return the URL of an SRT sender. The key encrypts what it sends (AES-128)."""
    return f"srt://{host}:{port}?mode=caller&passphrase={ingest_key}&pbkeylen=16"
