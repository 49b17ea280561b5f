"""What many tests of the worker need: settings, streams, a claim, and patience."""

import time
from collections.abc import Callable
from typing import Any

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.stream import Stream
from tests.fakes.simple import SetClock
from tests.fakes.streams.runtimes import MemoryRuntimes
from tests.fixtures.settings import worker_config
from worker.claims import HeldClaim, claim_stream

CONFIG = worker_config()
SRT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_000)
RTMP = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
LISTENING = Stream(stream_id="stream-1", title="t", ingest=SRT, ingest_key="a-key-of-24-characters-0")


def hold(clock: SetClock, worker_id: str = "w1", runtimes: MemoryRuntimes | None = None) -> HeldClaim:
    """Return a claim on the stream."""
    held_claim = claim_stream(runtimes or MemoryRuntimes(), clock, "stream-1", worker_id)
    assert held_claim
    return held_claim


def eventually(condition: Callable[[], Any], timeout_s: float = 10) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True
