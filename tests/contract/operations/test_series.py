"""The port `SeriesStore`: the fake and DynamoDB keep the same promises."""

from dataclasses import replace

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.operations.dynamodb_series import DynamoSeries
from chalicelib.config import Settings
from chalicelib.domain.operations.series import Overview, Sample, SamplerState, SeriesName, Step
from chalicelib.ports.operations.series import SeriesStore

MINUTE = 30_000_000
GAUGED = {"active_sessions": 3, "segments_per_minute": 29.97}
COUNTED = {"spent_millipoints": -2_500, "egress_bytes": 10**12, "login_failures": 0}
STATE = SamplerState(
    at_ms=MINUTE * 60_000,
    minute=MINUTE,
    open_minutes=(MINUTE - 1, MINUTE),
    is_followed=True,
    counted={"stream-1": {499_999: tuple(range(10)), 500_000: (0,) * 10}, "stream-2": {500_000: (7,) * 10}},
    rolled_hour=499_998,
)

series = pytest.fixture(lambda stores: stores.series)


def read(series: SeriesStore, scope: str, step: Step, first: int, last: int) -> dict[int, dict[str, object]]:
    """Return the known values."""
    found = series.read(scope, step, first, last)
    return {slot: {column: each for column, each in row.items() if each is not None} for slot, row in found.items()}


def test_slots_are_read_by_scope_step_and_range_over_the_ends_of_rows(series: SeriesStore) -> None:
    for minute in (MINUTE - 1, MINUTE, MINUTE + 40):
        series.add("", Step.MINUTE, {minute: Sample(gauges=GAUGED, counts=COUNTED)})
    series.add("stream-1", Step.MINUTE, {MINUTE: Sample(gauges={"active_sessions": 1}, counts={})})
    series.add("", Step.HOUR, {MINUTE: Sample(gauges={"active_sessions": 2}, counts={})})
    whole = {**GAUGED, **COUNTED}
    assert read(series, "", Step.MINUTE, MINUTE - 100, MINUTE + 100) == dict.fromkeys(
        (MINUTE - 1, MINUTE, MINUTE + 40), whole
    )
    assert read(series, "", Step.MINUTE, MINUTE, MINUTE + 39) == {MINUTE: whole}
    assert read(series, "", Step.MINUTE, MINUTE + 1, MINUTE + 39) == {}
    assert read(series, "stream-1", Step.MINUTE, MINUTE, MINUTE)[MINUTE]["active_sessions"] == 1
    assert read(series, "", Step.HOUR, MINUTE, MINUTE)[MINUTE]["active_sessions"] == 2
    assert read(series, "stream-2", Step.MINUTE, MINUTE, MINUTE) == {}


def test_counts_are_corrected_and_gauges_stay(series: SeriesStore) -> None:
    series.add("", Step.MINUTE, {MINUTE: Sample(gauges=GAUGED, counts=COUNTED)})
    later = {**COUNTED, "egress_bytes": 10**12 + 1}
    series.add("", Step.MINUTE, {MINUTE: Sample(counts=later), MINUTE + 1: Sample(gauges=GAUGED, counts=COUNTED)})
    found = read(series, "", Step.MINUTE, MINUTE, MINUTE + 1)
    assert found == {MINUTE: {**GAUGED, **later}, MINUTE + 1: {**GAUGED, **COUNTED}}


def test_a_year_of_hours_is_read_at_once(series: SeriesStore) -> None:
    hours = range(MINUTE, MINUTE + 400 * 24, 30 * 24)
    for hour in hours:
        series.add("", Step.HOUR, {hour: Sample(gauges={}, counts={"egress_bytes": hour})})
    found = read(series, "", Step.HOUR, hours[0], hours[-1])
    assert found == {hour: {"egress_bytes": hour} for hour in hours}


def test_a_state_is_replaced_by_one_sampler_only(series: SeriesStore) -> None:
    assert series.state() is None
    assert series.put_state(STATE, None)
    assert series.state() == STATE
    later = replace(STATE, at_ms=STATE.at_ms + 60_000, counted={})
    assert not series.put_state(later, None)
    assert series.put_state(later, STATE)
    assert not series.put_state(replace(STATE, at_ms=1), STATE)
    assert series.state() == later
    rolled = replace(later, rolled_hour=later.rolled_hour + 1)
    assert series.put_state(rolled, later) and not series.put_state(rolled, later)


def test_an_overview_keeps_what_is_unknown(series: SeriesStore) -> None:
    assert series.overview() is None
    numbers = {"streams_live": 3, "streams_delivered": 2, "workers": 1, "capacity": 4, "streams_running": 2}
    figures = {**dict.fromkeys(SeriesName), SeriesName.PLAYLIST_HIT_RATIO: 0.9876, SeriesName.ACTIVE_SESSIONS: 0}
    overview = Overview(
        at_ms=1, figures=figures, work_queue_depth=None, dead_letters=0, canary_at_ms=5, canary_is_ok=False, **numbers
    )
    series.put_overview(overview)
    assert series.overview() == overview


def test_rows_expire_after_what_is_promised(module_settings: Settings) -> None:
    series, table = DynamoSeries(module_settings.table_prefix), module_settings.table_prefix + "series"
    hour = MINUTE // 60
    series.add("expiring", Step.MINUTE, {MINUTE + 9: Sample(counts=COUNTED)})
    series.add("expiring", Step.HOUR, {hour: Sample(counts=COUNTED)})
    kept_s = {}
    for step, last_s in ((60, (MINUTE + 10) * 60), (3_600, (hour + 1) * 3_600)):
        query = {":id": {"S": f"stream:expiring:{step}"}}
        [row] = client("dynamodb").query(
            TableName=table, KeyConditionExpression="series_id = :id", ExpressionAttributeValues=query
        )["Items"]
        kept_s[step] = int(row["expires_at_s"]["N"]) - last_s
    assert kept_s[60] >= 24 * 3_600 and kept_s[3_600] >= 400 * 24 * 3_600, kept_s


def test_a_row_of_a_stream_with_a_thousand_viewers_costs_one_write_unit(module_settings: Settings) -> None:
    series, table = DynamoSeries(module_settings.table_prefix), module_settings.table_prefix + "series"
    gauges = {"active_sessions": 1_000, "ingest_bitrate_bps": 12_000_000}
    gauges |= {"segments_per_minute": 29.997, "manifest_age_ms": 2_345}
    counts = {"egress_bytes": 22_500_000_000, "spent_millipoints": 60_000_000, "answers_2xx": 60_000}
    counts |= dict.fromkeys(("playlist_hits", "segment_hits", "verdict_hits"), 59_000)
    counts |= dict.fromkeys(("playlist_misses", "segment_misses", "verdict_misses", "answers_4xx"), 999)
    for minute in range(MINUTE, MINUTE + 10):
        series.add("a-stream-of-some-name", Step.MINUTE, {minute: Sample(gauges=gauges, counts=counts)})
    key = {"series_id": {"S": "stream:a-stream-of-some-name:60"}, "first_slot": {"N": str(MINUTE)}}
    row = client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    assert {f"c{place}" for place in range(10)} < row.keys()
    # A number takes less than its digits.
    size = sum(len(name) + len(next(iter(value.values()))) for name, value in row.items())
    assert size <= 1_024, size
