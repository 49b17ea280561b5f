"""Samples: what a minute holds, what is a gap, and that no restart of any part makes a gap a zero (Show 2)."""

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_canary_id, new_session_id
from chalicelib.domain.money.cut_offs import HOUR_MS, histograms
from chalicelib.domain.operations.canary import STEPS
from chalicelib.domain.operations.series import SeriesName
from chalicelib.domain.operations.traffic import MINUTE_MS
from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.stream import DesiredState
from chalicelib.ports.common import StoreUnavailable
from tests.unit.operations.sampled_platform import MIDNIGHT_MS, STREAM_ID, SampledPlatform

LEVELS = {"active_sessions": 1, "ingest_bitrate_bps": 4_000_000, "segments_per_minute": 29.97, "manifest_age_ms": 1_500}


@pytest.fixture
def platform() -> SampledPlatform:
    return SampledPlatform()


def test_a_minute_of_the_platform_and_of_a_stream(platform: SampledPlatform) -> None:
    platform.steps(2)
    for name, amount in (("spent_millipoints", 10_500), ("login_failures", 2), ("playback_errors", 1)):
        platform.stores.counters.add(name, amount)
    platform.steps(2)
    expected = LEVELS | {"egress_bytes": 6_000, "answers_2xx": 6, "answers_4xx": 0, "segment_hit_ratio": 1.0}
    for name, value in expected.items():
        for stream_id in (None, STREAM_ID):
            assert platform.read(name, 4, stream_id)[-2] == value, (name, stream_id)
    assert platform.read("playlist_hit_ratio", 2) == [None, None], "there were no lookups"
    assert platform.read("points_per_minute", 4) == [0, 0, 10.5, 0]
    assert platform.read("points_per_minute", 1, STREAM_ID) == [60], "the rate of its session"
    assert platform.read("login_failures", 4) == [0, 0, 2, 0]
    assert platform.read("playback_errors", 4) == [0, 0, 1, 0]


def test_a_synthetic_viewer_is_in_no_figure(platform: SampledPlatform) -> None:
    canary = new_canary_id()
    platform.watch(new_session_id(canary), user_id=canary)
    platform.steps(2)
    for stream_id in (None, STREAM_ID):
        assert platform.read("active_sessions", 1, stream_id) == [1]
    assert platform.read("points_per_minute", 1, STREAM_ID) == [60]


def test_the_overview_has_the_last_run_of_the_canary(platform: SampledPlatform) -> None:
    platform.steps(1)
    overview, _ = platform.services.series.overview()
    assert (overview.canary_at_ms, overview.canary_is_ok) == (None, None)
    for steps in (len(STEPS), 1):
        run = platform.services.canary.report((5,) * steps, "refused" if steps == 1 else None)
        platform.steps(1)
        overview, _ = platform.services.series.overview()
        assert (overview.canary_at_ms, overview.canary_is_ok) == (run.at_ms, steps > 1)


def test_minutes_before_the_first_sample_are_unknown(platform: SampledPlatform) -> None:
    platform.steps(3)
    for name in SeriesName:
        assert platform.read(name, 10)[:7] == [None] * 7, name
    assert platform.read("egress_bytes", 3) == [6_000] * 3
    # What a stream was served is the growth since the last sample.
    assert platform.read("egress_bytes", 3, STREAM_ID) == [None, 6_000, 6_000]


@pytest.mark.parametrize("stopped_minutes", [2, 3, 10, 200])
def test_a_scheduler_that_does_not_run_leaves_a_gap_in_every_series(
    platform: SampledPlatform, stopped_minutes: int
) -> None:
    platform.steps(4)
    platform.scheduler_runs = False
    platform.steps(stopped_minutes)
    platform.scheduler_runs = True
    platform.steps(4)
    # The first sample after the stop is for the minute that was just over.
    gap = stopped_minutes
    for name, value in (LEVELS | {"egress_bytes": 6_000, "login_failures": 0, "points_per_minute": 0}).items():
        assert platform.read(name, gap + 8) == [value] * 4 + [None] * gap + [value] * 4, name
    found = platform.read("egress_bytes", gap + 8, STREAM_ID)
    assert found == [None] + [6_000] * 3 + [None] * (gap + 1) + [6_000] * 3, "the growth of the gap is in no minute"


def test_a_run_that_fails_is_a_gap_of_one_minute(platform: SampledPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    platform.steps(2)

    def unavailable(*_: object, **__: object) -> None:
        raise StoreUnavailable("injected")

    with monkeypatch.context() as patch:
        patch.setattr(platform.stores.streams, "list", unavailable)
        with pytest.raises(StoreUnavailable):
            platform.step()
    platform.steps(2)
    assert platform.read("active_sessions", 5) == [1, 1, None, 1, 1]


def test_a_queue_that_fails_loses_no_sample(platform: SampledPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable() -> None:
        raise StoreUnavailable("injected")

    monkeypatch.setattr(platform.stores.queue, "depths", unavailable)
    platform.steps(1)
    overview, _ = platform.services.series.overview()
    assert (overview.work_queue_depth, overview.dead_letters, overview.streams_live) == (None, None, 1)
    assert platform.read("active_sessions", 1) == [1]


def test_what_a_gateway_served_is_unknown_until_its_log_is_read(platform: SampledPlatform) -> None:
    platform.steps(4)
    platform.follower_runs = False
    platform.steps(3)
    assert platform.read("egress_bytes", 5) == [6_000, 6_000, None, None, None]
    assert platform.read("answers_5xx", 5)[-3:] == [None] * 3
    assert platform.read("segment_hit_ratio", 3) == [None] * 3
    assert platform.read("active_sessions", 3) == [1] * 3, "others are known"
    platform.follower_runs = True
    platform.steps(2)
    # The log names the minute of each answer, so the platform's minutes are filled in. A stream's are not known apart.
    assert platform.read("egress_bytes", 9) == [6_000] * 9
    assert platform.read("egress_bytes", 9, STREAM_ID) == [None, *[6_000] * 3, *[None] * 4, 6_000]


def test_counts_that_come_later_than_they_are_corrected_stay_unknown(platform: SampledPlatform) -> None:
    platform.steps(2)
    platform.follower_runs = False
    platform.steps(8)
    platform.follower_runs = True
    platform.steps(1)
    assert platform.read("egress_bytes", 11) == [6_000, 6_000, *[None] * 3, *[6_000] * 6]


def test_without_any_gateway_nothing_is_zero(platform: SampledPlatform) -> None:
    platform.follower_runs = False
    platform.steps(3)
    for name in ("egress_bytes", "answers_2xx", "answers_5xx", "segment_hit_ratio"):
        assert platform.read(name, 3) == [None] * 3
    # Lines that were rotated away unread.
    platform.stores.usage.mark("f", platform.clock.now_ms(), [(platform.clock.now_ms(), platform.clock.now_ms() + 1)])
    platform.follower_runs = True
    platform.steps(3)
    assert platform.read("egress_bytes", 3) == [None, 6_000, 6_000]


def test_a_worker_that_is_gone_reports_nothing_and_the_manifest_ages(platform: SampledPlatform) -> None:
    platform.steps(2)
    platform.worker_runs = False
    platform.steps(2)
    for stream_id in (None, STREAM_ID):
        assert platform.read("ingest_bitrate_bps", 4, stream_id) == [4_000_000, 4_000_000, None, None]
        assert platform.read("segments_per_minute", 4, stream_id) == [29.97, 29.97, None, None]
        assert platform.read("manifest_age_ms", 3, stream_id) == [1_500, 61_500, 121_500]
    assert platform.read("points_per_minute", 3, STREAM_ID) == [60, 0, 0], "an outage is free"
    platform.worker_runs = True
    platform.steps(1)
    assert platform.read("ingest_bitrate_bps", 2) == [None, 4_000_000]


def test_a_stream_that_stops_is_sampled_for_two_more_minutes(platform: SampledPlatform) -> None:
    platform.steps(2)
    platform.stores.rows.records.clear()
    platform.want(DesiredState.STOPPED)
    platform.steps(4, requests=1)
    assert platform.read("active_sessions", 6, STREAM_ID) == [1, 1, 0, None, None, None]
    assert platform.read("egress_bytes", 5, STREAM_ID)[:2] == [6_000, 1_000]
    assert platform.read("manifest_age_ms", 4, STREAM_ID) == [None] * 4
    assert platform.read("active_sessions", 6) == [1, 1, 0, 0, 0, 0]


def test_the_end_of_an_hour_and_of_a_day_changes_nothing() -> None:
    platform = SampledPlatform(MIDNIGHT_MS - 5 * MINUTE_MS + 20_000)
    platform.steps(10)
    assert platform.read("egress_bytes", 10) == [6_000] * 10
    assert platform.read("egress_bytes", 10, STREAM_ID) == [None, *[6_000] * 9]
    for name, value in LEVELS.items():
        assert platform.read(name, 10) == [value] * 10
        assert platform.read(name, 10, STREAM_ID) == [value] * 10


def test_counts_of_the_last_hour_that_come_late_are_in_a_minute_of_this_hour() -> None:
    platform = SampledPlatform(MIDNIGHT_MS - 3 * MINUTE_MS + 20_000)
    platform.steps(4)
    platform.serve(4, minute=MIDNIGHT_MS // MINUTE_MS - 1)
    platform.steps(1)
    assert platform.read("egress_bytes", 2, STREAM_ID) == [6_000, 10_000]


@pytest.mark.parametrize("delays_ms", [(900,) * 90, (-900,) * 90, (25_000, -25_000) * 30, (-19_990, 19_990) * 30])
def test_a_schedule_that_is_late_or_early_makes_no_gap(delays_ms: tuple[int, ...]) -> None:
    platform = SampledPlatform(MIDNIGHT_MS + 12 * HOUR_MS + 300)
    platform.steps(2)
    for delay_ms in delays_ms:
        platform.serve(6)
        platform.step(MINUTE_MS + delay_ms)
    assert platform.read("active_sessions", len(delays_ms))[:-2].count(None) == 0
    drifted = abs(sum(delays_ms)) > MINUTE_MS
    assert drifted or platform.read("active_sessions", len(delays_ms) + 2)[:-1] == [1] * (len(delays_ms) + 1)


def test_runs_that_come_too_often_take_no_sample(platform: SampledPlatform) -> None:
    assert platform.step() is not None
    assert [platform.step(9_000) for _ in range(3)] == [None] * 3
    assert platform.step(33_000) is not None


def test_two_runs_at_once_are_one(platform: SampledPlatform) -> None:
    platform.steps(2)
    before = platform.stores.series.state()
    platform.steps(1)
    after = platform.stores.series.state()
    # The other run has read the state before this one replaced it.
    assert not platform.stores.series.put_state(after, before)
    platform.steps(1)
    assert platform.read("egress_bytes", 3, STREAM_ID) == [6_000] * 3


def test_cut_offs_are_those_of_the_hour_so_far(platform: SampledPlatform) -> None:
    platform.steps(1)
    now_ms = platform.clock.now_ms()
    ends = [
        (now_ms, EndReason.KICKED, 90),
        (now_ms, EndReason.STREAM_PAUSED, 12),
        (now_ms - HOUR_MS, EndReason.KICKED, 900),
    ]
    platform.end_sessions(now_ms, histograms(ends))
    platform.steps(1)
    assert platform.read("cut_off_p99_ms", 2) == [None, 90]


def test_the_overview_is_of_the_last_sample(platform: SampledPlatform) -> None:
    assert platform.services.series.overview() == (None, False)
    now_ms = platform.clock.now_ms() + 2 * MINUTE_MS
    platform.stores.workers.report(Worker(worker_id="w1", capacity=4, stream_ids=(STREAM_ID,), seen_at_ms=now_ms))
    platform.stores.queue.send(STREAM_ID)
    platform.steps(2)
    overview, is_current = platform.services.series.overview()
    assert is_current and overview.at_ms == platform.clock.now_ms()
    assert (overview.workers, overview.capacity, overview.streams_running) == (1, 4, 1)
    assert (overview.streams_live, overview.streams_delivered) == (1, 1)
    assert (overview.work_queue_depth, overview.dead_letters) == (1, 0)
    assert overview.figures["active_sessions"] == 1 and overview.figures["egress_bytes"] == 6_000
    platform.scheduler_runs = False
    platform.step()
    assert platform.services.series.overview()[1]
    platform.step()
    platform.step()
    assert platform.services.series.overview() == (overview, False)
