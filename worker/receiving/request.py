"""The request to a receiver: JSON on its standard input, since everybody on a machine can read arguments."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

# Exit statuses of a receiver beside 0 (the source ended) and 1 (it could not be opened or read; stderr has the reason).
EXIT_MUTE = 3  # a sender was connected and sent nothing
EXIT_REFUSED = 4  # the source cannot be used as it is: the last line has the reason

# The format of RTMP, by the name of its demuxer.
FLV_FORMAT = "flv"


class Transport(StrEnum):
    """How bytes come in."""

    FILE = "file"
    URL = "url"  # by one of libavformat's protocols
    SRT_CALLER = "srt_caller"
    SRT_LISTENER = "srt_listener"


@dataclass(frozen=True, kw_only=True)
class ReceiveRequest:
    """A source to open.

    `options` are libavformat's, or for SRT `host`, `port`, `passphrase`, `pbkeylen`, `streamid` and `latency`.
    `is_live` sources come at their own pace; others are read at the pace of the clock. `formats` are the demuxers that
    may open it, by libavformat's names.
    """

    transport: Transport
    url: str = ""
    options: dict[str, str] = field(default_factory=dict)
    formats: str = ""
    is_live: bool = True
    is_looped: bool = False
    mute_s: float = 0.0
    program: int | None = None
    audio_track: int | None = None

    def to_json(self) -> bytes:
        """Return the JSON."""
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def from_json(body: bytes) -> "ReceiveRequest":
        """Return the request in this JSON."""
        values = json.loads(body)
        return ReceiveRequest(**{**values, "transport": Transport(values["transport"])})
