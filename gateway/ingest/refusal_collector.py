"""The collector of refusals: it reads why the ingest refused senders from nginx's log, and adds it to the streams'
logs.

nginx sends all lines of the level `info` to the collector's socket, since only that level reports why it ends a sender.
The lines contain keys and addresses, so no process stores them: the collector keeps the stream and the reason. It
writes to a stream at most every 10 s, however often senders are refused.
"""

import logging
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.domain.streams.issues.ingest_refusals import IngestRefusal, RefusalCode
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import EtagMismatch
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from gateway.ingest.log_parser import IngestLogParser

WRITE_INTERVAL_MS = 10_000
POLL_S = 1.0
# nginx's longest line is 2048 bytes.
DATAGRAM_BYTES_MAX = 4_096
# Refusals of further streams are dropped until some have been written.
STREAMS_MAX = 1_000

log = logging.getLogger("refusals")


@dataclass
class PendingRefusals:
    """The refusals of a stream that are not stored yet."""

    counts: Counter[RefusalCode] = field(default_factory=Counter)
    last_at_ms: dict[RefusalCode, int] = field(default_factory=dict)

    def refusals(self) -> tuple[IngestRefusal, ...]:
        """Return them as the domain's `IngestRefusal`s."""
        return tuple(
            IngestRefusal(code=code, count=count, last_at_ms=self.last_at_ms[code])
            for code, count in self.counts.items()
        )


class RefusalCollector:
    """Counts refusals by stream and stores them. One thread reads, another one writes."""

    def __init__(self, refusals: IngestRefusals, now_ms: Callable[[], int]) -> None:
        self._refusals = refusals
        self._now_ms = now_ms
        self._parser = IngestLogParser()
        self._lock = threading.Lock()
        self._pending: dict[str, PendingRefusals] = {}
        # The time of a stream's last write or failed write. Streams that may be written again are not listed.
        self._attempted_at_ms: dict[str, int] = {}

    def read(self, datagram: bytes) -> None:
        """Count the refusal that a line reports, if any."""
        if (refusal := self._parser.parse(datagram)) is None:
            return
        stream_id, code = refusal
        with self._lock:
            if stream_id not in self._pending and len(self._pending) >= STREAMS_MAX:
                return
            pending = self._pending.setdefault(stream_id, PendingRefusals())
            pending.counts[code] += 1
            pending.last_at_ms[code] = self._now_ms()

    def write(self) -> None:
        """Store the pending refusals of the streams that are due. Retry failed writes later."""
        now_ms = self._now_ms()
        due_before_ms = now_ms - WRITE_INTERVAL_MS
        self._attempted_at_ms = {key: at_ms for key, at_ms in self._attempted_at_ms.items() if at_ms > due_before_ms}
        for stream_id in [each for each in list(self._pending) if each not in self._attempted_at_ms]:
            self._attempted_at_ms[stream_id] = now_ms
            with self._lock:
                pending = self._pending.pop(stream_id)
            try:
                self._refusals.add(stream_id, pending.refusals())
            except EtagMismatch:
                self._restore(stream_id, pending)
            except StoreUnavailable as error:
                log.warning("cannot store the refusals of %s now, will retry: %s", stream_id, error)
                self._restore(stream_id, pending)
                # The other streams need the same store.
                return

    def _restore(self, stream_id: str, pending: PendingRefusals) -> None:
        with self._lock:
            newer = self._pending.setdefault(stream_id, pending)
            if newer is not pending:
                newer.counts += pending.counts
                newer.last_at_ms = {**pending.last_at_ms, **newer.last_at_ms}


def listen(path: Path) -> socket.socket:
    """Open the socket that nginx sends its lines to, and replace the socket of an earlier process."""
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path.unlink(missing_ok=True)
    receiver.bind(str(path))
    receiver.settimeout(POLL_S)
    return receiver


def run(collector: RefusalCollector, path: Path, alive: Callable[[], None]) -> None:
    """Collect until SIGTERM or SIGINT, then write the streams that are due and return."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with listen(path) as receiver:
        reader = threading.Thread(target=collect, args=(collector, receiver, stop), name="reader")
        reader.start()
        while reader.is_alive() and not stop.wait(POLL_S):
            collector.write()
            alive()
        stop.set()
        reader.join()
    collector.write()


def collect(collector: RefusalCollector, receiver: socket.socket, stop: threading.Event) -> None:
    """Read lines of nginx until `stop` is set."""
    while not stop.is_set():
        with suppress(TimeoutError):
            collector.read(receiver.recv(DATAGRAM_BYTES_MAX))
