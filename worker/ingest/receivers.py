"""How a live source is received: one ffmpeg that opens it, copies what comes and encodes nothing.

Its addresses, keys and passphrases go to it by its standard input, as a script of one file for ffmpeg's `concat`
demuxer, since everybody on the machine can read the arguments of a process. HLS cannot be opened that way: of an https
URL, the host and the path are arguments, the query is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.domain.ingest import Ingest, ListenProtocol, rtmp_stream_key
from chalicelib.domain.source_urls import SourceUrl
from chalicelib.domain.streams import Stream
from worker.config import WorkerConfig
from worker.ingest.pull_argv import Pinned, Proxied, pull_input_argv
from worker.ingest.sources import SourceRefused
from worker.limits import bounded

# SRT's shortest; a stream's key is its passphrase.
PASSPHRASE_CHARS_MIN = 10
# Who connects by SRT and sends nothing for this long is ended, since nobody else can send meanwhile. Of those who send
# by RTMP the ingest ends who is silent.
MUTE_S = 10
# What ffmpeg says last when somebody was there from whom nothing came: by SRT the time is over, by RTMP they are gone.
# Where nobody was, it says "Input/output error", or waits.
MUTE_ENDINGS = ("Connection timed out", "End of file")


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A command, what it reads from its standard input, and what must not be repeated of what it says."""

    argv: tuple[str, ...]
    script: bytes = field(default=b"", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def pulling(source: SourceUrl, way: Proxied | Pinned) -> Receiver:
    """Fetch from an address that was checked."""
    opening = pull_input_argv(source, way)
    if source.scheme == "https":
        # A playlist is fetched ahead of the clock, a segment at a time; played so, it would look like a stall between.
        # A server sends a recording as fast as it is read: its viewers would be shown an hour in minutes.
        return Receiver(argv=_copying(["-re", *opening]))
    options, script = _unseen(opening)
    return Receiver(argv=_copying(options), script=script, secrets=_secrets(source))


def listening(ingest: Ingest, stream: Stream, config: WorkerConfig) -> Receiver:
    """Wait for a sender that knows the stream's key. Raises `SourceRefused`."""
    key = stream.ingest_key
    if ingest.protocol is ListenProtocol.RTMP:
        if config.rtmp_url is None:
            raise SourceRefused("this worker has no RTMP service to listen at; TOLLCAST_RTMP_URL names it")
        opening = ["-protocol_whitelist", "rtmp,tcp", "-format_whitelist", "flv", "-rtmp_live", "live"]
        opening += ["-i", f"{config.rtmp_url}/{rtmp_stream_key(stream.stream_id, key)}"]
    else:
        if len(key) < PASSPHRASE_CHARS_MIN:
            raise SourceRefused(f"the stream has no key of at least {PASSPHRASE_CHARS_MIN} characters; rotate its key")
        opening = ["-protocol_whitelist", "srt", "-format_whitelist", "mpegts", "-mode", "listener"]
        # Not for how long it waits for a sender, but for what a sender sends.
        opening += ["-timeout", str(MUTE_S * 1_000_000)]
        opening += ["-passphrase", key, "-pbkeylen", "16", "-i", f"srt://{config.listen_host}:{ingest.port}"]
    options, script = _unseen(opening)
    return Receiver(argv=_copying(options), script=script, secrets=(key,))


def _copying(opening: Sequence[str]) -> tuple[str, ...]:
    argv = [
        *("ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "level+warning", "-nostats"),
        *opening,
        *("-c", "copy", "-sn", "-dn", "-flush_packets", "1", "-muxdelay", "0"),
        # The tables in front of every picture, so that it can be cut before any keyframe: see `worker.ingest.backlog`.
        *("-f", "mpegts", "-mpegts_flags", "pat_pmt_at_frames", "pipe:1"),
    ]
    return tuple(bounded(argv))


def _unseen(opening: Sequence[str]) -> tuple[list[str], bytes]:
    """The same input, with all that it is and needs in a script that is read from the standard input.

    White lists are for the script itself, and once more, as options in it, for what it opens.
    """
    *options, _, url = opening
    pairs = [(name.removeprefix("-"), value) for name, value in zip(options[::2], options[1::2], strict=True)]
    given = dict(pairs)
    lines = ["ffconcat version 1.0", f"file {_quoted(url)}"]
    lines += [f"option {name} {_quoted(value)}" for name, value in pairs if name != "f"]
    argv = [
        *("-protocol_whitelist", f"pipe,{given['protocol_whitelist']}"),
        *("-format_whitelist", f"concat,{given['format_whitelist']}"),
        *("-f", "concat", "-safe", "0", "-i", "pipe:0"),
    ]
    return argv, ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"


def _secrets(source: SourceUrl) -> tuple[str, ...]:
    options = [value for name, value in source.options if name in ("passphrase", "streamid")]
    key = source.url.rpartition("/")[2] if source.scheme == "rtmps" else ""
    return tuple(filter(None, (*options, key)))
