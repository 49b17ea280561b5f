"""The refusals that the real ingest reports of senders."""

import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from tests.fixtures.waiting import eventually
from tests.integration.gateway.ingest.harness import STREAMS, IngestHarness, closed, connected, picture, run_ingest

REFUSED_S_MAX = 8.0
ENDED_S_MAX = 15.0


@pytest.fixture
def ingest() -> Iterator[IngestHarness]:
    with run_ingest() as running:
        yield running


def wait_for_refusals(ingest: IngestHarness, wanted: dict[str, int], stream_id: str = "stream-1") -> None:
    eventually(lambda: ingest.refusals(stream_id) == wanted, ENDED_S_MAX, wanted, lambda: ingest.refusals(stream_id))


def test_each_refusal_of_a_sender_counts_for_its_stream(ingest: IngestHarness) -> None:
    for stranger in ("stream-1?key=wrong", "stream-1", "stream-9?key=wrong"):
        assert ingest.sender(stranger).wait(REFUSED_S_MAX) != 0
    wait_for_refusals(ingest, {"wrong_key": 2})
    assert ingest.refusals("stream-9") == {} and list(ingest.media.objects) == ["logs/ingest/stream-1.json"]
    ingest.sender()
    assert ingest.plays()
    assert ingest.sender().wait(REFUSED_S_MAX) != 0
    wait_for_refusals(ingest, {"wrong_key": 2, "already_sending": 1})
    ingest.streams["stream-2"] = replace(STREAMS["stream-2"], ingest=Ingest(mode=IngestMode.TEST))
    assert ingest.sender("stream-2?key=any").wait(REFUSED_S_MAX) != 0
    wait_for_refusals(ingest, {"not_listening": 1}, "stream-2")


def test_ended_senders_count_with_the_reason(ingest: IngestHarness) -> None:
    silent = ingest.sender()
    assert ingest.plays()
    silent.send_signal(signal.SIGSTOP)
    wait_for_refusals(ingest, {"silent": 1})
    silent.kill()
    ingest.sender()
    assert ingest.plays()
    ingest.streams["stream-1"] = replace(STREAMS["stream-1"], ingest_key="n" * 24)
    wait_for_refusals(ingest, {"silent": 1, "not_allowed_any_more": 1})


def test_strangers_count_for_no_stream(ingest: IngestHarness) -> None:
    with connected(ingest.port) as stranger:
        stranger.sendall(picture(20, b""))
        assert closed(stranger)
    assert not ingest.plays("stream-1?key=wrong")
    # By then the collector has read the earlier lines.
    assert ingest.sender("stream-2?key=wrong").wait(REFUSED_S_MAX) != 0
    wait_for_refusals(ingest, {"wrong_key": 1}, "stream-2")
    assert ingest.refusals() == {}
