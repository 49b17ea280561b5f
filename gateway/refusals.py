"""Collects why the ingest refused senders, from the lines of its nginx, and adds it to the streams' logs.

nginx sends all lines of the level `info` to a socket of this process, since only there it says why it ends a sender.
They hold keys and addresses, so they are stored nowhere: the collector keeps the stream and the reason. A stream is
written at most every 10 s, however often its senders are refused.
"""

import logging
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.domain.streams.ingest_refusals import IngestRefusal, RefusalCode
from chalicelib.ports import EtagMismatch, StoreUnavailable
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from gateway.ingest_log import IngestLog

EVERY_MS = 10_000
LOOK_S = 1.0
# nginx's longest line is 2048 bytes.
DATAGRAM_BYTES_MAX = 4_096
# Refusals of more streams than these at a time are dropped until some have been written.
STREAMS_MAX = 1_000

log = logging.getLogger("refusals")


@dataclass
class Pending:
    """What has not been added to a stream's log yet."""

    counts: Counter[RefusalCode] = field(default_factory=Counter)
    last_at_ms: dict[RefusalCode, int] = field(default_factory=dict)

    def refusals(self) -> tuple[IngestRefusal, ...]:
        """The same in the domain's words."""
        return tuple(
            IngestRefusal(code=code, count=count, last_at_ms=self.last_at_ms[code])
            for code, count in self.counts.items()
        )


class Collector:
    """Counts refusals by stream, and writes them. One thread reads, another one writes."""

    def __init__(self, refusals: IngestRefusals, now_ms: Callable[[], int]) -> None:
        self._refusals = refusals
        self._now_ms = now_ms
        self._log = IngestLog()
        self._lock = threading.Lock()
        self._pending: dict[str, Pending] = {}
        # When a stream was written last, or could not be. Without those that may be written again.
        self._tried_at_ms: dict[str, int] = {}

    def read(self, datagram: bytes) -> None:
        """Count what a line says."""
        if (found := self._log.read(datagram)) is None:
            return
        stream_id, code = found
        with self._lock:
            if stream_id not in self._pending and len(self._pending) >= STREAMS_MAX:
                return
            pending = self._pending.setdefault(stream_id, Pending())
            pending.counts[code] += 1
            pending.last_at_ms[code] = self._now_ms()

    def write(self) -> None:
        """Add what is pending to the logs of streams that are due. What cannot be written is tried again later."""
        now_ms = self._now_ms()
        self._tried_at_ms = {key: at_ms for key, at_ms in self._tried_at_ms.items() if at_ms > now_ms - EVERY_MS}
        for stream_id in [each for each in list(self._pending) if each not in self._tried_at_ms]:
            self._tried_at_ms[stream_id] = now_ms
            with self._lock:
                pending = self._pending.pop(stream_id)
            try:
                self._refusals.add(stream_id, pending.refusals())
            except EtagMismatch:
                self._give_back(stream_id, pending)
            except StoreUnavailable as error:
                log.warning("refusals of %s cannot be stored now: %s", stream_id, error)
                self._give_back(stream_id, pending)
                # The others would wait for the same store.
                return

    def _give_back(self, stream_id: str, pending: Pending) -> None:
        with self._lock:
            newer = self._pending.setdefault(stream_id, pending)
            if newer is not pending:
                newer.counts += pending.counts
                newer.last_at_ms = {**pending.last_at_ms, **newer.last_at_ms}


def listen(path: Path) -> socket.socket:
    """Open the socket that nginx sends its lines to, in place of one that an earlier process has left."""
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path.unlink(missing_ok=True)
    receiver.bind(str(path))
    receiver.settimeout(LOOK_S)
    return receiver


def run(collector: Collector, path: Path, alive: Callable[[], None]) -> None:
    """Collect until SIGTERM or SIGINT, then write what is due and return."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with listen(path) as receiver:
        reader = threading.Thread(target=collect, args=(collector, receiver, stop), name="reader")
        reader.start()
        while reader.is_alive() and not stop.wait(LOOK_S):
            collector.write()
            alive()
        stop.set()
        reader.join()
    collector.write()


def collect(collector: Collector, receiver: socket.socket, stop: threading.Event) -> None:
    """Read what nginx sends until `stop` is set."""
    while not stop.is_set():
        with suppress(TimeoutError):
            collector.read(receiver.recv(DATAGRAM_BYTES_MAX))


def collector(refusals: IngestRefusals) -> Collector:
    """The collector on the clock of this machine."""
    return Collector(refusals, lambda: time.time_ns() // 1_000_000)
