"""The port `Streams`: the fake and DynamoDB keep the same promises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.domain.errors import StreamExists
from chalicelib.domain.streams.ingest import Ingest, IngestMode, IngestPortTaken, ListenProtocol
from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.pacing import Latency
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import RowRefused, all_items
from chalicelib.ports.streams.streams import Streams

STREAM = Stream(
    stream_id="stream-1",
    title="Big Buck Bunny",
    ingest=Ingest(mode=IngestMode.FILE, path="bunny.mp4", audio_track=2),
    backups=(
        Ingest(mode=IngestMode.PULL, url="https://example.org/live.m3u8"),
        Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_710, program=1_003),
    ),
    slate=True,
    frozen_after_s=60,
    ingest_key="k" * 24,
    abr_profile="custom",
    custom_renditions=(Rendition(name="540p", width=960, height=540, video_bps=1_500_000, audio_bps=96_000),),
    fps_max=50,
    latency=Latency.LOW,
    segment_seconds=4,
    created_at_ms=1_800_000_000_000,
)


streams = pytest.fixture(lambda stores: stores.streams)


def test_what_was_added_is_read_back_whole_and_an_id_is_given_once(streams: Streams) -> None:
    pattern = Stream(stream_id="stream-2", title="Pattern", ingest=Ingest(mode=IngestMode.TEST), archived=True)
    streams.add(STREAM)
    streams.add(pattern)
    assert streams.get("stream-1") == STREAM
    assert streams.get("stream-2") == pattern
    assert streams.get("stream-3") is None
    with pytest.raises(StreamExists):
        streams.add(replace(STREAM, title="Another"))
    assert streams.get("stream-1") == STREAM


def test_replacing_wants_the_version_as_seen(streams: Streams) -> None:
    with pytest.raises(RowRefused):
        streams.replace(STREAM, STREAM)
    assert streams.get("stream-1") is None
    streams.add(STREAM)
    streams.replace(STREAM, replace(STREAM, desired_state=DesiredState.LIVE))
    stored = streams.get("stream-1")
    assert stored == replace(STREAM, desired_state=DesiredState.LIVE, version=2)
    with pytest.raises(RowRefused):
        streams.replace(STREAM, replace(STREAM, desired_state=DesiredState.STOPPED))
    assert streams.get("stream-1") == stored


def test_a_list_comes_in_pages_and_holds_everything_once(streams: Streams) -> None:
    for number in range(5):
        streams.add(replace(STREAM, stream_id=f"stream-{number}", backups=(), archived=number == 3))
    assert len(streams.list(limit=2, cursor=None).items) <= 2
    seen = all_items(streams.list, limit=2)
    assert sorted(stream.stream_id for stream in seen) == [f"stream-{number}" for number in range(5)]


def srt(stream_id: str, port: int, **changes: object) -> Stream:
    listening = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=port)
    return replace(Stream(stream_id=stream_id, title="t", ingest=listening), **changes)  # type: ignore[arg-type]


def test_a_port_is_had_by_one_stream_until_it_is_given_back(streams: Streams) -> None:
    first, second = srt("first", 9_000), replace(STREAM, stream_id="second")
    streams.add(first)
    streams.add(second)
    assert [streams.port_owner(port) for port in (9_000, 9_710, 9_711)] == ["first", "second", None]
    with pytest.raises(IngestPortTaken) as refused:
        streams.add(srt("third", 9_710))
    assert refused.value.extra == {"port": 9_710, "stream_id": "second"} and streams.get("third") is None
    with pytest.raises(IngestPortTaken):
        streams.replace(first, srt("first", 9_710))
    assert (streams.get("first"), streams.port_owner(9_000)) == (first, "first")
    with pytest.raises(StreamExists):
        streams.add(srt("first", 9_710))

    streams.replace(first, srt("first", 9_711))
    streams.replace(second, replace(second, archived=True))
    assert [streams.port_owner(port) for port in (9_000, 9_710, 9_711)] == [None, None, "first"]
    with pytest.raises(RowRefused):
        streams.replace(first, srt("first", 9_000))
    assert streams.port_owner(9_000) is None
    streams.add(srt("third", 9_000))
    streams.replace(srt("third", 9_000), srt("third", 9_000, title="kept"))
    streams.add(srt("fourth", 9_710))
    assert [streams.port_owner(port) for port in (9_000, 9_710, 9_711)] == ["third", "fourth", "first"]


def test_of_many_who_want_a_port_at_once_one_gets_it(streams: Streams) -> None:
    def take(number: int) -> bool:
        try:
            streams.add(srt(f"stream-{number}", 9_000))
        except IngestPortTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        took = list(pool.map(take, range(8)))
    there = [streams.get(f"stream-{number}") is not None for number in range(8)]
    assert sum(took) == 1 and there == took and streams.port_owner(9_000) == f"stream-{took.index(True)}"
