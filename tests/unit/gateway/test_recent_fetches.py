"""What a session fetched lately: from the log's lines to the row of the list."""

from typing import Any

import pytest

from chalicelib.domain.ids import new_canary_id, new_session_id
from chalicelib.domain.money.usage import Follower
from chalicelib.domain.operations.fetches import (
    BUCKETS_MAX,
    Fetches,
    RecentFetches,
    known_until_ms,
    recent_fetches,
    watching_sessions,
)
from gateway.usage.aggregator import IDLE_MS, UsageAggregator
from gateway.usage.log_entries import parse_entry
from tests.unit.gateway.log_lines import AT_S, A, B, line, segment

AT_MS = AT_S * 1000
NOW = 1_800_000_000_000


def reading(*lines: bytes) -> UsageAggregator:
    aggregator = UsageAggregator()
    for each in lines:
        entry = parse_entry(each.rstrip(b"\n"))
        assert entry
        aggregator.add(entry)
    return aggregator


def fetched(at_ms: int, size: int = 1_000, rendition: str | None = "720p", before: Fetches | None = None) -> Fetches:
    return (before or Fetches()).plus(at_ms, size, rendition)


def follower(through_ms: int, reported_at_ms: int = NOW, **more: Any) -> Follower:
    return Follower(through_ms=through_ms, reported_at_ms=reported_at_ms, **more)


def test_segments_count_as_fetches_and_playlists_as_bytes_only() -> None:
    canary = new_session_id(new_canary_id())
    lines = (
        segment(1),
        line("index.m3u8", at_s=AT_S + 20, bytes=70),
        segment(2, session=B),
        segment(3, session=canary),
    )
    aggregator = reading(*lines)
    found = aggregator.fetches(A)
    assert found is not None and (found.segment_at_ms, sum(found.buckets.values())) == (AT_MS, 1_070)
    assert [aggregator.watching(AT_MS + after_ms) for after_ms in (0, 15_000, 15_001)] == [2, 2, 0]
    assert aggregator.fetches("day:2026-11-22") is None


def test_an_idle_session_is_forgotten() -> None:
    aggregator = reading(segment(1), segment(2, session=B, at_s=AT_S + IDLE_MS / 1000 + 1))
    aggregator.take()
    assert aggregator.fetches(A) is None and aggregator.fetches(B) is not None


def test_the_stored_form_is_short_and_exact() -> None:
    found = Fetches()
    for second in range(300):
        found = fetched(NOW + second * 1_000, 10**8, "source", found)
    assert len(found.buckets) == BUCKETS_MAX and len(found.to_text()) < 150
    assert Fetches.from_text(found.to_text()) == found
    gap = fetched(NOW + 40_000, 5, None, fetched(NOW))
    assert Fetches.from_text(gap.to_text()).bytes_since(NOW) == 1_005 and gap.segment_at_ms == NOW
    assert Fetches.from_text(Fetches().to_text()) == Fetches()


def test_a_late_line_changes_neither_rendition_nor_time() -> None:
    found = fetched(NOW - 1, 1, "480p", fetched(NOW, 1, "720p"))
    assert (found.segment_at_ms, found.rendition) == (NOW, "720p")


@pytest.mark.parametrize(("ago_ms", "expected"), [(0, True), (15_000, True), (15_001, False), (3_600_000, False)])
def test_a_session_that_fetched_nothing_for_15_s_is_not_watched(ago_ms: int, expected: bool) -> None:
    through_ms = NOW - 12_000
    found = recent_fetches({"one": fetched(through_ms - ago_ms)}, {"one": follower(through_ms)}, 0, NOW)
    assert found.is_fetching is expected and found.last_fetch_at_ms == through_ms - ago_ms


def test_nothing_is_said_before_the_log_is_read() -> None:
    followers = {"one": follower(NOW - 12_000)}
    young = recent_fetches({}, followers, NOW - 20_000, NOW)
    assert young.is_fetching is None and young.rendition is None
    assert recent_fetches({}, followers, NOW - 30_000, NOW).is_fetching is False
    one = {"one": fetched(NOW - 500_000)}
    unknown = RecentFetches(rendition="720p", last_fetch_at_ms=NOW - 500_000)
    # No follower, one that is silent, one that is far behind, and one that has just begun.
    for known in ({}, {"one": follower(NOW - 70_000, NOW - 61_000)}, {"one": follower(NOW - 60_000)}):
        assert recent_fetches(one, known, 0, NOW) == unknown
    assert known_until_ms({"one": follower(NOW), "two": follower(0)}, NOW) is None
    # The one that served it is silent, another one runs.
    silent = {"one": follower(NOW - 90_000, NOW - 90_000), "two": follower(NOW - 5_000)}
    assert recent_fetches(one, silent, 0, NOW) == unknown
    # It left: its log is added.
    assert recent_fetches(one, {"two": follower(NOW - 5_000)}, 0, NOW).is_fetching is False


def test_the_last_minute_of_all_gateways() -> None:
    one, two = Fetches(), fetched(NOW - 1_000, 6_000, "480p")
    for second in range(60, 0, -2):
        one = fetched(NOW - second * 1_000, 1_000, "720p", one)
    followers = {"one": follower(NOW), "two": follower(NOW)}
    found = recent_fetches({"one": one, "two": two}, followers, NOW - 3_600_000, NOW)
    assert (found.rendition, found.bytes_last_minute, found.bitrate_bps) == ("480p", 36_000, 4_800)
    # Of a session that began 20 s ago, over these.
    assert recent_fetches({"two": two}, followers, NOW - 20_000, NOW).bitrate_bps == 2_400
    assert recent_fetches({"two": two}, followers, NOW - 19_999, NOW).bitrate_bps is None, (
        "its first seconds come at once"
    )


def test_the_count_of_all_gateways_is_known_or_null() -> None:
    one, two = follower(NOW, watching=3), follower(NOW, watching=4)
    assert watching_sessions({"one": one, "two": two}, NOW) == 7
    assert watching_sessions({"one": one, "two": follower(NOW)}, NOW) is None
    assert watching_sessions({"one": one, "two": follower(NOW - 90_000, NOW - 90_000, watching=4)}, NOW) == 3
    assert watching_sessions({}, NOW) is None
