"""Hours are summed up from their minutes, after restarts too, and over the end of a day. What may be requested."""

import gzip
import random
from typing import Any

import pytest

from chalicelib.api.models.series import SeriesAnswer
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Invalid, NotFound
from chalicelib.domain.money.cut_offs import HOUR_MS, histograms
from chalicelib.domain.operations.series import COUNTS, GAUGES, Sample, SeriesName, Step
from tests.unit.operations.sampled_platform import MIDNIGHT_MS, STREAM_ID, SampledPlatform

DAY_MINUTES = 1_440
KILOBYTE = 1_000


def test_hours_over_the_end_of_a_day() -> None:
    platform = SampledPlatform(MIDNIGHT_MS - HOUR_MS + 20_000)
    ends = [(MIDNIGHT_MS - 1, EndReason.KICKED, 40), (MIDNIGHT_MS, EndReason.KICKED, 700)]
    platform.end_sessions(MIDNIGHT_MS - 1, histograms(ends[:1]))
    platform.end_sessions(MIDNIGHT_MS, histograms(ends[1:]))
    platform.steps(2 * 60 + 6)
    for stream_id in (None, STREAM_ID):
        assert platform.hours("active_sessions", 2, stream_id) == ([1.0, 1.0], [60, 60])
        assert platform.hours("ingest_bitrate_bps", 2, stream_id)[0] == [4_000_000] * 2
        assert platform.hours("manifest_age_ms", 2, stream_id)[0] == [1_500] * 2
        assert platform.hours("segment_hit_ratio", 2, stream_id)[0] == [1.0] * 2
    assert platform.hours("egress_bytes", 2)[0] == [60 * 6_000] * 2
    # The first sample of a stream has no growth.
    assert platform.hours("egress_bytes", 2, STREAM_ID)[0] == [59 * 6_000, 60 * 6_000]
    assert platform.hours("points_per_minute", 2, STREAM_ID)[0] == [60, 60]
    assert platform.hours("cut_off_p99_ms", 2)[0] == [40, 700]


def test_an_hour_is_there_when_its_counts_are_final(platform: SampledPlatform) -> None:
    platform.steps(65)
    assert platform.hours("egress_bytes", 1) == ([None], [None])
    platform.steps(1)
    assert platform.hours("egress_bytes", 1) == ([60 * 6_000], [60])


def test_an_hour_is_summed_up_once(platform: SampledPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    original, hours = platform.stores.series.add, []

    def noted(scope: str, step: Step, slots: Any) -> None:
        hours.extend(slots if step is Step.HOUR else ())
        original(scope, step, slots)

    monkeypatch.setattr(platform.stores.series, "add", noted)
    platform.steps(2 * 60 + 30)
    hour = MIDNIGHT_MS // HOUR_MS + 12
    assert hours == [hour, hour, hour + 1, hour + 1], "the platform and its stream"


def test_an_hour_with_a_gap_says_how_much_of_it_is_known(platform: SampledPlatform) -> None:
    platform.steps(20)
    platform.scheduler_runs = False
    platform.steps(30)
    platform.scheduler_runs = True
    platform.steps(16)
    assert platform.hours("egress_bytes", 2) == ([None, 30 * 6_000], [None, 30])
    assert platform.hours("active_sessions", 2)[0] == [None, 1.0]
    assert platform.hours("points_per_minute", 1, STREAM_ID)[0] == [60]


def test_hours_that_passed_without_a_schedule_are_summed_up_later(platform: SampledPlatform) -> None:
    platform.steps(59)
    platform.scheduler_runs = False
    platform.steps(3 * 60 + 5)
    platform.scheduler_runs = True
    platform.steps(1)
    assert platform.hours("egress_bytes", 4) == ([59 * 6_000, None, None, None], [59, None, None, None])


def test_a_sum_that_fails_is_made_by_the_next_run(platform: SampledPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    platform.steps(65)
    original = platform.stores.series.add

    def fails_for_hours(scope: str, step: Step, slots: Any) -> None:
        if step is Step.HOUR and scope:
            raise RuntimeError("injected")
        original(scope, step, slots)

    with monkeypatch.context() as patch:
        patch.setattr(platform.stores.series, "add", fails_for_hours)
        with pytest.raises(RuntimeError):
            platform.steps(1)
    platform.steps(1)
    assert platform.read("active_sessions", 2) == [1, 1], "the samples themselves are there"
    assert platform.hours("egress_bytes", 1, STREAM_ID) == ([59 * 6_000], [60])


@pytest.fixture
def platform() -> SampledPlatform:
    """A platform whose first sample is for the first minute of an hour."""
    return SampledPlatform(MIDNIGHT_MS + 12 * HOUR_MS + 20_000)


def wrong(platform: SampledPlatform, **query: Any) -> Invalid:
    given = {"stream_id": None, "from_ms": None, "to_ms": None, "step": Step.MINUTE, **query}
    with pytest.raises(Invalid) as refused:
        platform.services.series.columns(given.pop("names", None), **given)
    return refused.value


def test_ranges_are_bounded_and_end_with_the_last_full_step(platform: SampledPlatform) -> None:
    now_ms = platform.clock.now_ms()
    whole = {"stream_id": None, "from_ms": None, "to_ms": None}
    for step, slots in ((Step.MINUTE, DAY_MINUTES), (Step.HOUR, 30 * 24)):
        found = platform.services.series.columns(None, **whole, step=step)
        assert found.to_ms == now_ms - now_ms % step.ms and found.from_ms == found.to_ms - slots * step.ms
        assert {len(values) for values in found.series.values()} == {slots} and list(found.series) == list(SeriesName)
    for step, longest in ((Step.MINUTE, 24 * HOUR_MS), (Step.HOUR, 400 * 24 * HOUR_MS)):
        end = {"to_ms": now_ms + 10 * HOUR_MS, "step": step}
        first_ms = now_ms - now_ms % step.ms - longest
        assert platform.services.series.columns(None, **{**whole, **end, "from_ms": first_ms}).from_ms == first_ms
        for from_ms in (first_ms - 1, now_ms - now_ms % step.ms, now_ms + HOUR_MS):
            assert [each["field"] for each in wrong(platform, from_ms=from_ms, **end).extra["errors"]] == ["from_ms"]
    assert "at most 24 hours" in str(wrong(platform, from_ms=0))


def test_what_streams_do_not_have_is_refused_and_an_unknown_stream_is_not_found(platform: SampledPlatform) -> None:
    refused = wrong(platform, names=[SeriesName.EGRESS_BYTES, SeriesName.LOGIN_FAILURES], stream_id=STREAM_ID)
    assert "login_failures: only without stream_id" in str(refused)
    whole = {"from_ms": None, "to_ms": None, "step": Step.MINUTE}
    assert "login_failures" not in platform.services.series.columns(None, stream_id=STREAM_ID, **whole).series
    with pytest.raises(NotFound):
        platform.services.series.columns(None, stream_id="another", **whole)


def test_six_series_of_a_day_are_30_kb_compressed(platform: SampledPlatform) -> None:
    """Random values compress worst; a real platform's repeat."""
    chosen = random.Random(1)
    for minute in range(platform.minute - DAY_MINUTES, platform.minute):
        gauges = {column: chosen.randrange(10_000) for column in GAUGES}
        gauges |= {"ingest_bitrate_bps": chosen.randrange(3_000_000, 5_000_000)}
        counts = {column: chosen.randrange(10_000) for column in COUNTS}
        counts |= {"egress_bytes": chosen.randrange(10**9, 9 * 10**9)}
        platform.stores.series.add("", Step.MINUTE, {minute: Sample(gauges=gauges, counts=counts)})
    names = [
        "active_sessions",
        "points_per_minute",
        "egress_bytes",
        "ingest_bitrate_bps",
        "manifest_age_ms",
        "answers_2xx",
    ]
    whole = {"stream_id": None, "from_ms": None, "to_ms": None, "step": Step.MINUTE}
    found = platform.services.series.columns([SeriesName(name) for name in names], **whole)
    body = SeriesAnswer(stream_id=None, step_s=60, **vars(found)).model_dump_json().encode()
    size = len(gzip.compress(body, 1))
    print(f"six random series of 24 h: {len(body)} B, compressed {size} B")
    assert None not in found.series[SeriesName.EGRESS_BYTES] and size <= 30 * KILOBYTE
