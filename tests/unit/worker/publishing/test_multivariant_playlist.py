import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import m3u8
import pytest

from tests.unit.worker.publishing.owner import MEDIA_INFO, MULTIVARIANT, AtOnce, Bucket, Owner
from worker.publishing.fenced_object import ClaimLost
from worker.publishing.multivariant_playlist import REWRITE_S
from worker.publishing.playlists.variants import MediaInfo
from worker.publishing.publisher import START_SEGMENTS
from worker.publishing.segment_prober import TRIES_MAX

# 2 s of it are a megabit a second.
MEGABIT = 250_000
OTHER_INFO = replace(MEDIA_INFO, fps=30.0, codecs="avc1.4D401E")


@pytest.fixture
def first(bucket: Bucket) -> Owner:
    return bucket.owner(1, window_s=4)


def says(bucket: Bucket) -> dict[str, tuple[int, int, str | None]]:
    """Return the bandwidth, average bandwidth and codecs of each rendition."""
    read = m3u8.loads(bucket.objects[MULTIVARIANT].body.decode())
    infos = {variant.uri.partition("/")[0]: variant.stream_info for variant in read.playlists}
    return {name: (info.bandwidth, info.average_bandwidth, info.codecs) for name, info in infos.items()}


def test_it_says_what_was_probed_and_measured(bucket: Bucket, first: Owner) -> None:
    first.publish(size=MEGABIT)
    assert says(bucket) == dict.fromkeys(("720p", "480p"), (1050000, 1000000, MEDIA_INFO.codecs))
    rates = [(one.name, one.bandwidth_bps, one.average_bandwidth_bps) for one in first.multivariant.published]
    assert rates == [("720p", 1_000_000, 1_000_000), ("480p", 1_000_000, 1_000_000)]
    one = first.multivariant.published[0]
    assert MediaInfo(width=one.width, height=one.height, fps=one.fps, codecs=one.codecs) == MEDIA_INFO
    # A heavier segment is announced before it is named.
    order: list[str] = []
    bucket.before = lambda operation, key: order.append(key) if operation == "put" and key.endswith(".m3u8") else None
    first.publish(size=MEGABIT + 2_500)
    assert MULTIVARIANT not in order, "within the headroom there is nothing to say"
    order.clear()
    first.publish(size=2 * MEGABIT)
    assert order[0] == MULTIVARIANT and order.count(MULTIVARIANT) == 1
    assert says(bucket)["720p"][0] == 2_100_000


def test_a_bandwidth_falls_when_the_peak_has_left_the_window_and_not_too_often(bucket: Bucket, first: Owner) -> None:
    first.publish(size=2 * MEGABIT)
    first.publish(4, size=MEGABIT)
    assert says(bucket)["720p"][0] == 2_100_000
    first.now_s += REWRITE_S
    first.publish(size=MEGABIT)
    assert says(bucket)["720p"][:2] == (1_050_000, 1_000_000)
    # A fall waits after a rise.
    first.now_s += REWRITE_S - 1
    first.publish(size=3 * MEGABIT)
    first.publish(3, size=MEGABIT)
    first.now_s += 2
    first.publish(size=MEGABIT)
    assert says(bucket)["720p"][0] == 3_150_000
    first.now_s += REWRITE_S - 2
    first.publish(size=MEGABIT)
    assert says(bucket)["720p"][0] == 1_050_000


def test_the_next_owner_knows_the_peaks_before_and_the_one_before_announces_nothing(bucket: Bucket) -> None:
    first = bucket.owner(1)
    first.publish(size=2 * MEGABIT)
    bucket.owner(2).publish(size=MEGABIT)
    assert says(bucket)["720p"][:2] == (2_100_000, 1_500_000)
    before = bucket.objects[MULTIVARIANT]
    with pytest.raises(ClaimLost):
        first.publish(size=3 * MEGABIT)
    assert bucket.objects[MULTIVARIANT] == before


def test_what_could_not_be_probed_is_looked_at_again_and_left_out_at_last(bucket: Bucket, first: Owner) -> None:
    first.probe = lambda body: None if b"480p" in body else MEDIA_INFO
    first.publish(TRIES_MAX - 1)
    assert MULTIVARIANT not in bucket.objects, "many players read it once, so it waits for the truth"
    first.publish()
    assert {name: codecs for name, (_, _, codecs) in says(bucket).items()} == {"720p": MEDIA_INFO.codecs, "480p": None}
    assert [one.name for one in first.multivariant.published] == ["720p"]
    first.probe = lambda body: MEDIA_INFO
    first.publish()
    assert says(bucket)["480p"][2] is None, "that run is let be"
    first.restart()
    first.publish()
    assert says(bucket)["480p"][2] == MEDIA_INFO.codecs


def test_another_run_may_be_of_another_kind_though_its_first_segment_was_left_out(bucket: Bucket, first: Owner) -> None:
    first.publish(2)
    first.probe = lambda body: OTHER_INFO
    first.restart()
    with bucket.failing():
        assert first.publisher.publish(replace(first.segment(), found_at_s=0.0)) == "StoreUnavailable: no"
    first.publish()
    assert [one.codecs for one in first.multivariant.published] == [OTHER_INFO.codecs] * 2
    first.publish()
    assert says(bucket)["720p"][2] == OTHER_INFO.codecs
    assert b"FRAME-RATE=30.000" in bucket.objects[MULTIVARIANT].body


def test_late_answers_are_not_taken_for_those_of_the_next_run(bucket: Bucket) -> None:
    go = threading.Event()
    with ThreadPoolExecutor(2) as probes:
        first = bucket.owner(1, probes=probes)
        first.probe = lambda body: MEDIA_INFO if go.wait(10) else None
        first.publish()
        first.restart()
        first.publish()
        go.set()
    first.probe = lambda body: OTHER_INFO
    first.prober._pool = AtOnce()
    first.publish(2)
    assert [one.codecs for one in first.multivariant.published] == [OTHER_INFO.codecs] * 2


def test_nothing_waits_for_a_probe_and_one_segment_is_probed_at_a_time(bucket: Bucket) -> None:
    asked: list[bytes] = []
    go = threading.Event()

    def probe(body: bytes) -> MediaInfo:
        go.wait(10)
        asked.append(body)
        return MEDIA_INFO

    with ThreadPoolExecutor(2) as probes:
        first = bucket.owner(1, probes=probes)
        first.probe = probe
        assert first.publish(START_SEGMENTS) == [None] * START_SEGMENTS
        assert MULTIVARIANT not in bucket.objects
        assert not first.publisher.is_playable and not first.prober.has_answers
        go.set()
    assert first.prober.has_answers and len(asked) == 2
    first.publisher.refresh()
    assert says(bucket)["720p"][2] == MEDIA_INFO.codecs and first.publisher.is_playable


@pytest.mark.parametrize(("profile", "is_playable"), [("hd", True), ("sd", False)])
def test_a_stream_that_is_taken_over_is_playable_by_its_old_ladder_only(bucket, profile, is_playable) -> None:
    bucket.owner(1).publish(START_SEGMENTS)
    go = threading.Event()
    with ThreadPoolExecutor(2) as probes:
        second = bucket.owner(2, probes=probes, profile=profile)
        second.probe = lambda body: MEDIA_INFO if go.wait(10) else None
        second.publish()
        assert second.publisher.is_playable is is_playable
        go.set()
    second.publisher.refresh()
    assert second.publisher.is_playable


def test_a_segment_longer_than_the_target_raises_it_at_a_discontinuity(bucket: Bucket) -> None:
    first = bucket.owner(1)
    first.publish(2)
    first.publish(duration_s=3.6)
    first.publish()
    for read in map(bucket.playlist, ("720p", "480p")):
        assert read.target_duration == 4
        assert [segment.discontinuity for segment in read.segments] == [False, False, True, False]


def test_a_run_with_a_longer_target_begins_with_it_and_the_next_owner_needs_it_no_more(bucket: Bucket) -> None:
    old, new = bucket.owner(1), bucket.owner(2)
    # An older owner writes first.
    old.publish()
    new.publish(2, target_s=6)
    read = bucket.playlist("720p")
    assert read.target_duration == 6
    assert [segment.discontinuity for segment in read.segments] == [False, True, False]
    new.publish(target_s=6, duration_s=5.2)
    bucket.owner(3).publish()
    assert bucket.playlist("720p").target_duration == 5, "the window still names one of 5.2 s"
