"""Commands of receivers: one process opens a source and copies its packets (see `worker.receiving`).

Addresses, keys and passphrases go to its standard input, since everybody on the machine can read the arguments of a
process.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from chalicelib.domain.streams.addresses import IpAddress
from chalicelib.domain.streams.ingest import Ingest, ListenProtocol, rtmp_stream_key
from chalicelib.domain.streams.source_urls import SourceUrl
from chalicelib.domain.streams.stream import Stream
from worker.config import WorkerConfig
from worker.encoding.copy_segmentation import FILE_FORMATS
from worker.encoding.source_info import SourceRefused
from worker.ingest.pull_options import Proxied, pull_request
from worker.processes.limits import limit_argv
from worker.processes.module_process import python_argv
from worker.receiving.pacing import BURST_US
from worker.receiving.request import FLV_FORMAT, ReceiveRequest, Transport

# SRT's shortest; a stream's key is its passphrase.
PASSPHRASE_CHARS_MIN = 10
# A sender that connects by SRT and sends nothing for this long is disconnected, since no other can connect meanwhile.
# By RTMP, the ingest disconnects silent senders.
MUTE_S = 10
# The time until a run can begin.
START_US = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ReceiverCommand:
    """A command, its standard input, and the secrets that its log must not show."""

    argv: tuple[str, ...]
    script: bytes = field(default=b"", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    # It gets http addresses instead of the operator's https ones, and logs them.
    has_other_urls: bool = False
    # How far its packets may be ahead of the clock.
    ahead_us: int = 0


def pull_command(source: SourceUrl, way: Proxied | IpAddress, ingest: Ingest) -> ReceiverCommand:
    """Return the command for a checked address."""
    receiver = _command(pull_request(source, way), ingest, _secrets(source))
    return replace(receiver, has_other_urls=source.scheme == "https")


def file_command(path: Path, ingest: Ingest) -> ReceiverCommand:
    """Return the command for a looped file of the media directory."""
    request = ReceiveRequest(
        transport=Transport.FILE, url=f"file:{path}", formats=FILE_FORMATS, is_live=False, is_looped=True
    )
    return _command(request, ingest, ())


def listen_command(ingest: Ingest, stream: Stream, config: WorkerConfig) -> ReceiverCommand:
    """Return the command that waits for a sender with the stream's key. Raise `SourceRefused`."""
    key = stream.ingest_key
    if ingest.protocol is ListenProtocol.RTMP:
        if config.rtmp_url is None:
            raise SourceRefused("this worker has no RTMP service to listen at; TOLLCAST_RTMP_URL names it")
        url = f"{config.rtmp_url}/{rtmp_stream_key(stream.stream_id, key)}"
        options = {"protocol_whitelist": "rtmp,tcp", "rtmp_live": "live"}
        request = ReceiveRequest(transport=Transport.URL, url=url, options=options, formats=FLV_FORMAT)
    else:
        if len(key) < PASSPHRASE_CHARS_MIN:
            raise SourceRefused(f"the stream has no key of at least {PASSPHRASE_CHARS_MIN} characters; rotate its key")
        options = {"host": config.listen_host, "port": str(ingest.port), "passphrase": key, "pbkeylen": "16"}
        request = ReceiveRequest(transport=Transport.SRT_LISTENER, options=options, mute_s=MUTE_S)
    return _command(request, ingest, (key,))


def _command(request: ReceiveRequest, ingest: Ingest, secrets: tuple[str, ...]) -> ReceiverCommand:
    wanted = replace(request, program=ingest.program, audio_track=ingest.audio_track)
    return ReceiverCommand(
        argv=tuple(limit_argv(python_argv("worker.receiving"))),
        script=wanted.to_json(),
        secrets=secrets,
        ahead_us=0 if request.is_live else BURST_US + START_US,
    )


def _secrets(source: SourceUrl) -> tuple[str, ...]:
    options = [value for name, value in source.options if name in ("passphrase", "streamid")]
    key = source.url.rpartition("/")[2] if source.scheme == "rtmps" else ""
    return tuple(filter(None, (*options, key)))
