"""The collector counts each refusal once, and writes rarely."""

import pytest

from chalicelib.domain.streams.issues.ingest_refusals import decode, ingest_refusals_key
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import EtagMismatch
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from gateway.ingest.refusal_collector import STREAMS_MAX, WRITE_INTERVAL_MS, RefusalCollector, listen
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import FaultyMedia, MemoryMedia


def refused(stream_id="stream-1", code="wrong_key"):
    return f"<190>Nov 30 03:49:00 ingest: refused {stream_id} {code}".encode()


class Lab:
    def __init__(self):
        self.clock, self.memory = SetClock(), MemoryMedia()
        self.media = FaultyMedia(self.memory)
        self.writes = []
        self.media.before = lambda operation, key: self.writes.append(key) if operation == "put" else None
        self.collector = RefusalCollector(IngestRefusals(self.media, self.clock), self.clock.now_ms)

    def read_and_write(self, **refusal):
        self.collector.read(refused(**refusal))
        self.collector.write()

    def stored(self):
        found = self.memory.get(ingest_refusals_key("stream-1"))
        return {each.code.value: (each.count, each.last_at_ms) for each in decode(found.body if found else b"")}

    def counts(self):
        return {code: count for code, (count, _) in self.stored().items()}


lab = pytest.fixture(lambda: Lab())


def test_a_stream_is_written_at_once_and_then_every_ten_seconds(lab):
    began_ms = lab.clock.now_ms()
    for _ in range(100):
        lab.read_and_write()
        lab.clock.advance(WRITE_INTERVAL_MS // 50)
    assert len(lab.writes) == 2
    for _ in range(2):
        lab.clock.advance(WRITE_INTERVAL_MS)
        lab.collector.write()
        assert (len(lab.writes), lab.stored()) == (3, {"wrong_key": (100, began_ms + 99 * WRITE_INTERVAL_MS // 50)})


def test_failed_writes_are_retried_and_count_once(lab):
    def raising(error):
        def before(operation, key):
            raise error

        return before

    for error in (StoreUnavailable("away"), EtagMismatch("another ingest")):
        lab.media.before = raising(error)
        lab.read_and_write()
        lab.collector.read(refused(code="not_listening"))
        lab.clock.advance(WRITE_INTERVAL_MS)
    lab.media.before = lambda operation, key: None
    lab.collector.write()
    assert lab.counts() == {"wrong_key": 2, "not_listening": 2}


def test_the_number_of_pending_streams_is_bounded(lab):
    for number in range(STREAMS_MAX + 10):
        lab.collector.read(refused(f"stream-{number}"))
    lab.collector.write()
    assert len(lab.writes) == STREAMS_MAX


def test_the_socket_of_an_earlier_process_is_replaced(tmp_path):
    for _ in range(2):
        listen(tmp_path / "refusals.sock").close()
