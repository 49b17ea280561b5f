"""Senders and players at the real ingest: who is let in, and the refusals of senders that it reports."""

import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode, rtmp_stream_key
from tests.fixtures.waiting import eventually
from tests.integration.gateway.ingest.harness import (
    GOOD,
    KEY,
    OTHER_KEY,
    STREAMS,
    IngestHarness,
    closed,
    connected,
    picture,
    run_ingest,
)

NEW_KEY = "n" * 24
DROPPED_S_MAX = 12.0
REFUSED_S_MAX = 8.0
ENDED_S_MAX = 15.0
STRANGERS = [
    "stream-1?key=wrong",
    f"stream-1?key={OTHER_KEY}",
    # Fields of the module's form: the sender's follow its own.
    f"stream-1?key=wrong&name=stream-2&key={OTHER_KEY}",
    f"stream-1?key={OTHER_KEY}&name=stream-2",
    f"stream-1?key={KEY}&call=update_publish",
]


@pytest.fixture
def ingest() -> Iterator[IngestHarness]:
    with run_ingest() as running:
        yield running


def test_a_client_with_the_key_sends_and_plays_and_may_reconnect(ingest: IngestHarness) -> None:
    sender = ingest.sender()
    assert ingest.plays()
    player = ingest.player()
    assert player.stdout and player.stdout.read(1)
    sender.kill()
    # Players get a notice, so that a worker need not wait for a timeout.
    eventually(lambda: player.poll() is not None, DROPPED_S_MAX, "a notice that the sender disconnected")
    ingest.sender()
    assert ingest.plays()


def test_strangers_neither_send_nor_play(ingest: IngestHarness) -> None:
    senders = [ingest.sender(stranger) for stranger in STRANGERS]
    for stranger, sender in zip(STRANGERS, senders, strict=True):
        assert sender.wait(REFUSED_S_MAX) != 0, stranger
    assert not ingest.plays(seconds=1.5), "something was there to play"
    ingest.sender()
    assert ingest.plays()
    players = [ingest.player(stranger) for stranger in STRANGERS]
    for stranger, player in zip(STRANGERS, players, strict=True):
        played, _ = player.communicate(timeout=REFUSED_S_MAX)
        assert (player.returncode != 0, played) == (True, b""), stranger


def test_a_new_key_ends_the_sender_with_the_old_one_once_the_store_responds(ingest: IngestHarness) -> None:
    sender = ingest.sender()
    assert ingest.plays()
    ingest.is_broken, asked = True, ingest.lookups
    eventually(lambda: ingest.lookups >= asked + 2, DROPPED_S_MAX, "a running sender is asked for")
    refused = ingest.sender()
    assert refused.wait(REFUSED_S_MAX) != 0
    assert sender.poll() is None, "a sender was ended because the store did not answer"
    ingest.streams["stream-1"] = replace(STREAMS["stream-1"], ingest_key=NEW_KEY)
    ingest.is_broken = False
    # The old sender may still be connected, but does not block the new one.
    new = ingest.sender(rtmp_stream_key("stream-1", NEW_KEY))
    assert ingest.plays(rtmp_stream_key("stream-1", NEW_KEY))
    assert new.poll() is None
    assert sender.wait(DROPPED_S_MAX) != 0
    assert ingest.sender(GOOD).wait(REFUSED_S_MAX) != 0


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
