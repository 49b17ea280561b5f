"""The moments at which the multivariant playlist is written, and its content."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import m3u8
import pytest

from chalicelib.domain.streams.ladders import Rendition
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.unit.worker.publishing.owner import MEDIA_INFO, STREAM, AtOnce, Owner
from worker.publishing.fenced_object import ClaimLost
from worker.publishing.multivariant_playlist import REWRITE_S
from worker.publishing.playlists.variants import MediaInfo
from worker.publishing.publisher import START_SEGMENTS
from worker.publishing.segment_prober import TRIES_MAX

ROOT = f"streams/{STREAM}/index.m3u8"
# 2 s of it are a megabit a second.
MEGABIT = 250_000


@pytest.fixture
def store() -> MemoryMedia:
    return MemoryMedia()


@pytest.fixture
def media(store: MemoryMedia) -> FaultyMedia:
    return FaultyMedia(store)


@pytest.fixture
def first(media: FaultyMedia, tmp_path: Path) -> Iterator[Owner]:
    it = owner(media, tmp_path, 1)
    yield it
    it.multivariant.close()


def owner(media: FaultyMedia, tmp_path: Path, epoch: int, **options: object) -> Owner:
    it = Owner(media, tmp_path / str(epoch), epoch, **options)  # type: ignore[arg-type]
    it.publisher.take_over()
    return it


def says(store: MemoryMedia) -> dict[str, tuple[int, int, str | None]]:
    """Return the bandwidth, average bandwidth and codecs of each rendition."""
    read = m3u8.loads(store.objects[ROOT].body.decode())
    infos = {variant.uri.partition("/")[0]: variant.stream_info for variant in read.playlists}
    return {name: (info.bandwidth, info.average_bandwidth, info.codecs) for name, info in infos.items()}


def test_it_says_what_was_probed_and_measured(store: MemoryMedia, first: Owner) -> None:
    first.publisher.publish(first.segment(size=MEGABIT))
    assert says(store) == dict.fromkeys(("720p", "480p"), (1050000, 1000000, MEDIA_INFO.codecs))
    published = first.publisher.published
    assert [(one.name, one.bandwidth_bps, one.average_bandwidth_bps) for one in published] == [
        ("720p", 1_000_000, 1_000_000),
        ("480p", 1_000_000, 1_000_000),
    ]
    assert (published[0].width, published[0].height, published[0].fps, published[0].codecs) == (
        1280,
        720,
        25.0,
        MEDIA_INFO.codecs,
    )


def test_a_heavier_segment_is_announced_before_it_is_named(
    store: MemoryMedia, media: FaultyMedia, first: Owner
) -> None:
    first.publisher.publish(first.segment(size=MEGABIT))
    order: list[str] = []
    media.before = lambda operation, key: order.append(key) if operation == "put" and key.endswith(".m3u8") else None
    first.publisher.publish(first.segment(size=MEGABIT + 2_500))
    assert ROOT not in order, "within the headroom there is nothing to say"
    order.clear()
    first.publisher.publish(first.segment(size=2 * MEGABIT))
    assert order[0] == ROOT and order.count(ROOT) == 1
    assert says(store)["720p"][0] == 2_100_000


def test_a_bandwidth_falls_when_the_peak_has_left_the_window_and_not_too_often(
    store: MemoryMedia, media: FaultyMedia, tmp_path: Path
) -> None:
    first = owner(media, tmp_path, 1, window_s=4)
    first.publisher.publish(first.segment(size=2 * MEGABIT))
    for _ in range(4):
        first.publisher.publish(first.segment(size=MEGABIT))
    assert says(store)["720p"][0] == 2_100_000
    first.now_s += REWRITE_S
    first.publisher.publish(first.segment(size=MEGABIT))
    assert says(store)["720p"][:2] == (1_050_000, 1_000_000)


def test_a_fall_waits_after_a_rise(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    first = owner(media, tmp_path, 1, window_s=4)
    first.publisher.publish(first.segment(size=MEGABIT))
    first.now_s += REWRITE_S - 1
    for size in (3 * MEGABIT, MEGABIT, MEGABIT, MEGABIT):
        first.publisher.publish(first.segment(size=size))
    first.now_s += 2
    first.publisher.publish(first.segment(size=MEGABIT))
    assert says(store)["720p"][0] == 3_150_000
    first.now_s += REWRITE_S - 2
    first.publisher.publish(first.segment(size=MEGABIT))
    assert says(store)["720p"][0] == 1_050_000


def test_the_next_owner_knows_the_peaks_before(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    first = owner(media, tmp_path, 1)
    first.publisher.publish(first.segment(size=2 * MEGABIT))
    second = owner(media, tmp_path, 2)
    second.publisher.publish(second.segment(size=MEGABIT))
    assert says(store)["720p"][:2] == (2_100_000, 1_500_000)


def test_what_could_not_be_probed_is_looked_at_again_and_left_out_at_last(store: MemoryMedia, first: Owner) -> None:
    first.probe = lambda body: None if b"480p" in body else MEDIA_INFO
    first.publish(TRIES_MAX - 1)
    assert ROOT not in store.objects, "many players read it once, so it waits for the truth"
    first.publish(1)
    assert {name: codecs for name, (_, _, codecs) in says(store).items()} == {"720p": MEDIA_INFO.codecs, "480p": None}
    assert [one.name for one in first.publisher.published] == ["720p"]
    first.probe = lambda body: MEDIA_INFO
    first.publish(1)
    assert says(store)["480p"][2] is None, "that run is let be"
    first.restart()
    first.publish(1)
    assert says(store)["480p"][2] == MEDIA_INFO.codecs


def test_another_run_may_be_of_another_kind(store: MemoryMedia, first: Owner) -> None:
    first.publish(2)
    first.probe = lambda body: replace(MEDIA_INFO, fps=30.0, codecs="avc1.4D401E")
    first.restart()
    first.publish(1)
    first.publish(1)
    assert says(store)["720p"][2] == "avc1.4D401E" and b"FRAME-RATE=30.000" in store.objects[ROOT].body


def test_a_run_is_examined_though_its_first_segment_was_left_out(first: Owner, media: FaultyMedia) -> None:
    first.publish(1)
    first.restart()
    first.probe = lambda body: replace(MEDIA_INFO, codecs="avc1.4D401E")

    def silent(operation: str, key: str) -> None:
        raise StoreUnavailable("silent")

    media.before = silent
    late = replace(first.segment(), found_at_s=0.0)
    assert first.publisher.publish(late) == "StoreUnavailable: silent"
    media.before = lambda operation, key: None
    first.publish(1)
    assert [one.codecs for one in first.publisher.published] == ["avc1.4D401E"] * 2


def test_late_answers_are_not_taken_for_those_of_the_next_run(media: FaultyMedia, tmp_path: Path) -> None:
    go = threading.Event()
    with ThreadPoolExecutor(2) as probes:
        first = owner(media, tmp_path, 1, probes=probes)
        first.probe = lambda body: MEDIA_INFO if go.wait(10) else None
        first.publish(1)
        first.restart()
        first.publish(1)
        go.set()
    second = replace(MEDIA_INFO, codecs="avc1.4D401E")
    first.probe = lambda body: second
    first.prober._pool = AtOnce()
    first.publish(2)
    assert [one.codecs for one in first.publisher.published] == [second.codecs] * 2


def test_nothing_waits_for_a_probe_and_one_segment_is_probed_at_a_time(
    store: MemoryMedia, media: FaultyMedia, tmp_path: Path
) -> None:
    asked: list[bytes] = []
    go = threading.Event()

    def probe(body: bytes) -> MediaInfo:
        go.wait(10)
        asked.append(body)
        return MEDIA_INFO

    with ThreadPoolExecutor(2) as probes:
        first = owner(media, tmp_path, 1, probes=probes)
        first.probe = probe
        assert first.publish(START_SEGMENTS) == [None] * START_SEGMENTS
        assert ROOT not in store.objects and not first.publisher.is_playable and not first.publisher.has_answers
        go.set()
    assert first.publisher.has_answers and len(asked) == 2
    first.publisher.refresh()
    assert says(store)["720p"][2] == MEDIA_INFO.codecs and first.publisher.is_playable


@pytest.mark.parametrize(("profile", "is_playable"), [("hd", True), ("sd", False)])
def test_a_stream_that_is_taken_over_is_playable_by_its_old_ladder_only(
    media: FaultyMedia, tmp_path: Path, profile: str, is_playable: bool
) -> None:
    owner(media, tmp_path, 1).publish(START_SEGMENTS)
    go = threading.Event()
    with ThreadPoolExecutor(2) as probes:
        second = owner(media, tmp_path, 2, probes=probes, profile=profile)
        second.probe = lambda body: MEDIA_INFO if go.wait(10) else None
        second.publish(1)
        assert second.publisher.is_playable is is_playable
        go.set()
    second.publisher.refresh()
    assert second.publisher.is_playable


def test_a_dropped_rendition_of_an_operators_own_ladder_is_known_from_what_is_stored(
    store: MemoryMedia, media: FaultyMedia, tmp_path: Path
) -> None:
    custom = Rendition(name="tiny", width=320, height=180, video_bps=300_000, audio_bps=64_000)
    owner(media, tmp_path, 1, renditions=(custom,)).publish(1)
    assert f"streams/{STREAM}/tiny/index.m3u8" in store.objects
    owner(media, tmp_path, 2, profile="sd").publish(1)
    assert f"streams/{STREAM}/tiny/index.m3u8" not in store.objects
    assert [*says(store)] == ["480p"]


def test_an_owner_that_lost_its_claim_announces_nothing(media: FaultyMedia, tmp_path: Path, store: MemoryMedia) -> None:
    first = owner(media, tmp_path, 1)
    first.publisher.publish(first.segment(size=MEGABIT))
    second = owner(media, tmp_path, 2)
    second.publisher.publish(second.segment(size=MEGABIT))
    before = store.objects[ROOT]
    with pytest.raises(ClaimLost):
        first.publisher.publish(first.segment(size=3 * MEGABIT))
    assert store.objects[ROOT] == before


def test_a_segment_longer_than_the_target_raises_it_at_a_discontinuity(store: MemoryMedia, first: Owner) -> None:
    first.publish(2)
    first.publisher.publish(first.segment(duration_s=3.6))
    first.publish(1)
    for rendition in ("720p", "480p"):
        read = m3u8.loads(store.objects[f"streams/{STREAM}/{rendition}/index.m3u8"].body.decode())
        assert read.target_duration == 4
        assert [segment.discontinuity for segment in read.segments] == [False, False, True, False]


def test_a_run_with_a_longer_target_begins_with_it_and_the_next_owner_needs_it_no_more(
    store: MemoryMedia, media: FaultyMedia, first: Owner, tmp_path: Path
) -> None:
    def target() -> int:
        found = m3u8.loads(store.objects[f"streams/{STREAM}/720p/index.m3u8"].body.decode()).target_duration
        assert found
        return int(found)

    first.publisher.publish(first.segment(target_s=6))
    assert target() == 6
    first.publisher.publish(first.segment(target_s=6, duration_s=5.2))
    second = owner(media, tmp_path, 2)
    second.publish(1)
    assert target() == 5, "the window still names one of 5.2 s"


def test_a_longer_target_holds_when_an_older_owner_writes_first(
    store: MemoryMedia, media: FaultyMedia, tmp_path: Path
) -> None:
    old, new = owner(media, tmp_path, 1), owner(media, tmp_path, 2)
    old.publish(1)
    new.publisher.publish(new.segment(target_s=6))
    new.publisher.publish(new.segment(target_s=6))
    read = m3u8.loads(store.objects[f"streams/{STREAM}/720p/index.m3u8"].body.decode())
    assert read.target_duration == 6
    assert [segment.discontinuity for segment in read.segments] == [False, True, False]


def test_a_size_is_never_taken_for_another_renditions(store: MemoryMedia, media: FaultyMedia, tmp_path: Path) -> None:
    first = owner(media, tmp_path, 1)
    first.publish(1)

    def fail(operation: str, key: str) -> None:
        if operation == "put" and key.endswith("480p/index.m3u8"):
            raise StoreUnavailable("died here")

    media.before = fail
    with pytest.raises(StoreUnavailable):
        first.publish(1)
    media.before = lambda operation, key: None
    owner(media, tmp_path, 2).publish(1)
    published = {}
    for rendition in ("720p", "480p"):
        read = m3u8.loads(store.objects[f"streams/{STREAM}/{rendition}/index.m3u8"].body.decode())
        published[rendition] = [segment.bitrate is not None for segment in read.segments]
    assert published == {"720p": [True, True, True], "480p": [True, False, True]}
