"""A source's container: opened, and opened again where its tracks change or a loop begins."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from av.error import EOFError as SourceEnd
from av.error import FFmpegError

from worker.receiving.flv_tags import FlvTags
from worker.receiving.request import EXIT_MUTE, EXIT_REFUSED, FLV_FORMAT, ReceiveRequest, Transport
from worker.receiving.srt import SrtReceiver, SrtSilence
from worker.receiving.tracks import open_quietly
from worker.receiving.ts_packets import PacketReader
from worker.receiving.ts_tables import Programs, TransportTables

CHUNK_BYTES = 32_768
# The part of a live source in which its tracks are detected. Recordings are read as long as needed.
LIVE_OPTIONS = {"analyzeduration": "1000000", "fpsprobesize": "4"}
TRANSPORT_STREAM = "mpegts"


class ReceiveError(Exception):
    """The source could not be opened or has failed. `status` is the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


# A filter of the bytes on their way to the demuxer, which detects changes of the tracks.
Tables = TransportTables | FlvTags
Opened = tuple[Any, Programs]


class Part:
    """A file-like object of the bytes up to the next change of the tracks."""

    def __init__(self, read: Callable[[int], bytes], tables: Tables, preamble: bytes = b"") -> None:
        self.has_ended = False
        self._read = read
        self._tables = tables
        self._ready = preamble + tables.feed(b"")

    def read(self, size: int) -> bytes:
        """Return some bytes; none at the end of the part."""
        while not self._ready and not self._tables.has_changed and not self.has_ended:
            data = self._read(CHUNK_BYTES)
            self.has_ended = not data
            self._ready = self._tables.feed(data)
        given, self._ready = self._ready[:size], self._ready[size:]
        return given


def containers(request: ReceiveRequest) -> Iterator[Opened]:
    """Yield containers one after the other, with the programmes of each. The caller reads each to its end.

    Raise `ReceiveError`.
    """
    try:
        match request.transport:
            case Transport.SRT_CALLER | Transport.SRT_LISTENER:
                yield from _parts(_srt(request).read, TransportTables(), request)
            case Transport.URL if request.formats == FLV_FORMAT:
                yield from _parts(_raw(request), FlvTags(), request)
            case Transport.URL:
                yield from _url(request)
            case Transport.FILE:
                yield from _file(request)
    except SrtSilence:
        raise ReceiveError("a sender was connected and sent nothing", EXIT_MUTE) from None
    except SourceEnd:
        raise ReceiveError("the source ended before a picture came", EXIT_MUTE) from None
    except (FFmpegError, OSError) as error:
        # The address of an RTMP stream ends with its key.
        named = f"{request.url}: " if request.transport is Transport.URL and request.formats != FLV_FORMAT else ""
        raise ReceiveError(f"{named}{_words(error)}") from None


def _srt(request: ReceiveRequest) -> SrtReceiver:
    receiver = SrtReceiver(request.options, request.mute_s)
    if request.transport is Transport.SRT_LISTENER:
        receiver.accept()
    else:
        receiver.connect()
    return receiver


def _raw(request: ReceiveRequest) -> Callable[[int], bytes]:
    """Return a function that reads a URL's bytes unchanged."""
    packets = open_quietly(request.url, format="data", options=request.options).demux()

    def read(_size: int) -> bytes:
        for packet in packets:
            if packet.size:
                return bytes(packet)
        return b""

    return read


def _parts(read: Callable[[int], bytes], tables: Tables, request: ReceiveRequest) -> Iterator[Opened]:
    name = FLV_FORMAT
    if isinstance(tables, TransportTables):
        name, read = TRANSPORT_STREAM, PacketReader(read).read
    part = Part(read, tables)
    options = LIVE_OPTIONS if request.is_live else {}
    while True:
        container = open_quietly(part, format=name, options=options)
        if isinstance(tables, FlvTags):
            tables.is_fixed = True
            yield container, {}
        else:
            yield container, tables.programs
        container.close()
        if not tables.has_changed:
            return
        part = Part(read, tables, tables.reopen())


def _url(request: ReceiveRequest) -> Iterator[Opened]:
    """Open a transport stream once more as bytes, for its programmes; open HLS and the rest as they are."""
    options = {**request.options, "format_whitelist": request.formats}
    container = open_quietly(request.url, options=options)
    if container.format.name == TRANSPORT_STREAM:
        container.close()
        yield from _parts(_raw(request), TransportTables(), request)
    else:
        yield container, {}
        container.close()


def _file(request: ReceiveRequest) -> Iterator[Opened]:
    """Open the file, repeatedly if it is looped."""
    options = {"protocol_whitelist": "file", "format_whitelist": request.formats}
    while True:
        try:
            container = open_quietly(request.url, options=options)
        except FFmpegError as error:
            raise ReceiveError(
                f"the file is incomplete, or no video that can be read: {_words(error)}", EXIT_REFUSED
            ) from None
        if container.format.name == TRANSPORT_STREAM:
            container.close()
            with open(request.url.removeprefix("file:"), "rb") as file:  # noqa: PTH123 - the name as it was given
                yield from _parts(file.read, TransportTables(), request)
        else:
            yield container, {}
            with suppress(FFmpegError):
                container.close()
        if not request.is_looped:
            return


def _words(error: Exception) -> str:
    """Return a library's error text, without the address."""
    text = getattr(error, "strerror", None) or str(error)
    log = getattr(error, "log", None)
    return f"{log[2].strip()}: {text}" if log else str(text)
