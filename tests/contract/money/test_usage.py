"""The port `Usage`: the fake and DynamoDB keep the same promises, above all that a batch counts once."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.config import Settings
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.served_spans import Span
from chalicelib.domain.money.usage import Follower, Served, day_key, day_of
from chalicelib.domain.operations.fetches import Fetches
from chalicelib.domain.operations.traffic import MINUTE_MS, TOTALS_MINUTE, Kept, Part, counts_of, hour_of, traffic_of
from chalicelib.ports.common import all_items
from chalicelib.ports.money.usage import Usage
from chalicelib.stores import Stores
from tests.fakes.simple import SetClock

NOW = 1_800_000_000_000
PART = Served(media_ms=2_002, media_bytes=500, segments=1, requests=2, first_at_ms=NOW, last_at_ms=NOW + 1_000)


usage = pytest.fixture(lambda money: money.usage)


def add(
    usage: Usage, key: str, batch: int, follower: str = "one", served: Served = PART, spans: Sequence[Span] = ()
) -> bool:
    return usage.add(key, served, follower=follower, batch=batch, now_ms=NOW, spans=spans)


def test_batches_add_up(usage: Usage) -> None:
    session_id = new_session_id()
    assert usage.get(session_id) is None
    assert add(usage, session_id, 1)
    later = Served(media_bytes=7, requests=1, first_at_ms=NOW + 9_000, last_at_ms=NOW + 9_000)
    assert add(usage, session_id, 5, served=later)
    assert usage.get(session_id) == Served(
        media_ms=2_002, media_bytes=507, segments=1, requests=3, first_at_ms=NOW, last_at_ms=NOW + 9_000
    )


def test_a_batch_counts_once_for_each_session(usage: Usage) -> None:
    first, second = new_session_id(), new_session_id()
    assert add(usage, first, 3)
    assert not add(usage, first, 3)
    assert not add(usage, first, 2)
    assert add(usage, second, 3), "another session of the same batch"
    assert usage.get(first) == usage.get(second) == PART


def test_followers_count_by_themselves_and_the_latest_moment_of_all_is_the_last(usage: Usage) -> None:
    session_id = new_session_id()
    assert add(usage, session_id, 9, follower="one")
    assert add(usage, session_id, 1, follower="two")
    behind = Served(requests=1, first_at_ms=NOW - 10, last_at_ms=NOW - 10)
    assert add(usage, session_id, 1, "behind", behind)
    found = usage.get(session_id)
    assert found and (found.media_ms, found.last_at_ms) == (2 * PART.media_ms, PART.last_at_ms)


def test_a_segment_that_two_gateways_served_counts_once(usage: Usage) -> None:
    session_id, other_id = new_session_id(), new_session_id()
    ten = Served(media_ms=20_020, media_bytes=500, segments=10, requests=10, first_at_ms=NOW, last_at_ms=NOW)
    first, second = [Span("1-1-", 1, 10, 20_020)], [Span("1-1-", 8, 17, 20_020)]
    assert add(usage, session_id, 1, "one", ten, spans=first)
    assert usage.get(session_id) == ten
    assert add(usage, session_id, 1, "two", ten, spans=second)
    assert not add(usage, session_id, 1, "two", ten, spans=[Span("1-1-", 1, 1, 1)]), "the same batch"
    for _ in range(2):
        found = usage.get(session_id)
        assert found and (found.media_ms, found.segments) == (17 * 2_002, 17)
        assert (found.media_bytes, found.requests) == (1_000, 20), "what was sent"
        # A batch without spans leaves them.
        add(usage, session_id, 2, "two", Served(last_at_ms=NOW))
    longer = [Span("1-1-", 8, 27, 40_040)]
    assert add(usage, session_id, 4, "two", ten, spans=longer)
    assert add(usage, other_id, 5, "two", ten, spans=second)
    found = usage.get(session_id), usage.get(other_id)
    assert [each and each.media_ms for each in found] == [27 * 2_002, 20_020]


def test_of_the_same_batch_at_once_one_counts(usage: Usage) -> None:
    session_id = new_session_id()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: add(usage, session_id, 1), range(8))) == 1
    assert usage.get(session_id) == PART


def test_counters_of_minutes_and_of_streams_add_up_once(usage: Usage) -> None:
    minute = hour_of(NOW // MINUTE_MS)
    streams = [f"{letter}{new_session_id()[:8]}" for letter in "bca"]
    names = ["", *streams]
    for batch in (1, 2):
        for number, stream_id in enumerate(names):
            counts = counts_of(Part.MEDIA, 200, 100 + number, {Kept.SEGMENT: True})
            assert usage.count(minute, stream_id, counts, follower="f", batch=batch)
            assert not usage.count(minute, stream_id, counts, follower="f", batch=batch), "the same batch again"
    later = counts_of(Part.API, 503, 7, {})
    assert usage.count(minute + 1, "", later, follower="f", batch=3)
    assert usage.count(minute + 1, "", later, follower="another", batch=3)
    first, both = (traffic_of(usage.counted(minute, to)) for to in (minute, minute + 1))
    assert (first.media.answers_2xx, first.media.egress_bytes, first.segments.hits) == (2, 200, 2)
    assert (first.api.answers_5xx, both.api.answers_5xx, both.api.egress_bytes) == (0, 2, 14)
    assert usage.counted(minute - 60, minute - 1) == {}
    found = list(all_items(usage.counted_by_stream, minute, limit=2))
    assert [each.stream_id for each in found] == sorted(streams)
    assert [each.traffic.media.egress_bytes for each in found] == [206, 202, 204]
    assert {each.hour_ms for each in found} == {minute * MINUTE_MS}
    assert usage.counted_by_stream(minute + 60, limit=2, cursor=None).items == []


def test_the_totals_of_all_followers_add_up_and_outlast_them(money: Stores) -> None:
    usage, before = money.usage, Counter(money.usage.totals())
    for follower, batch, count in (("t1", 1, 5), ("t2", 1, 7), ("t1", 2, 1)):
        assert usage.count(TOTALS_MINUTE, "", {"media_2xx": count}, follower=follower, batch=batch)
        assert not usage.count(TOTALS_MINUTE, "", {"media_2xx": count}, follower=follower, batch=batch)
    usage.leave("t1")
    assert Counter(usage.totals()) - before == {"media_2xx": 13}
    assert usage.counted(1, 60) == {}


def test_the_functions_counters_lie_in_the_same_table_and_are_not_mixed_up(settings: Settings) -> None:
    stores, minute = Stores(settings), hour_of(NOW // MINUTE_MS)
    stores.clock = SetClock(minute * MINUTE_MS)
    counters, usage = stores.counters, stores.usage
    counters.add("login_failures", 3)
    for stream_id in ("", "stream-1"):
        assert usage.count(minute, stream_id, {"media_2xx": 5}, follower="f", batch=1)
    assert counters.minutes(minute, minute) == {minute: {"login_failures": 3}}
    assert usage.counted(minute, minute) == {"media_2xx": 5}
    assert [each.stream_id for each in usage.counted_by_stream(minute, limit=9, cursor=None).items] == ["stream-1"]


def test_days_and_the_positions_of_followers_lie_beside_sessions(usage: Usage) -> None:
    key = day_key(day_of(NOW))
    assert key == "day:2027-01-15"
    assert add(usage, key, 1)
    assert usage.get(key) == PART
    usage.mark("one", NOW)
    usage.mark("two", NOW + 1)
    usage.mark("one", NOW + 2)
    reports = {"one": NOW + 2, "two": NOW + 1}
    expected = {name: Follower(through_ms=at_ms, reported_at_ms=at_ms) for name, at_ms in reports.items()}
    assert {name: usage.followers()[name] for name in reports} == expected


def test_lost_ranges_stay_until_they_are_replaced_and_after_the_follower_has_left(usage: Usage) -> None:
    both, more = ((NOW - 9, NOW - 8), (NOW - 5, NOW - 4)), ((NOW - 9, NOW - 4), (NOW + 1, NOW + 2))
    usage.mark("lossy", NOW, both, reported_at_ms=NOW + 7)
    assert usage.followers()["lossy"] == Follower(through_ms=NOW, lost=both, reported_at_ms=NOW + 7)
    usage.mark("lossy", NOW + 1)
    assert usage.followers()["lossy"] == Follower(through_ms=NOW + 1, lost=both, reported_at_ms=NOW + 1)
    usage.mark("lossy", NOW + 2, list(more))
    usage.leave("lossy")
    usage.leave("lossy")
    assert usage.followers()["lossy"] == Follower(through_ms=0, lost=more)
    usage.mark("lossy", NOW + 3)
    assert usage.followers()["lossy"] == Follower(through_ms=NOW + 3, lost=more, reported_at_ms=NOW + 3)


def test_a_follower_that_left_without_a_loss_is_forgotten(usage: Usage) -> None:
    usage.leave("stranger")
    usage.mark("whole", NOW)
    usage.leave("whole")
    assert not {"stranger", "whole"} & usage.followers().keys()


def test_what_a_session_fetched_lately_comes_with_its_batch(usage: Usage) -> None:
    session_id, other_id = new_session_id(), new_session_id()
    first, second = Fetches().plus(NOW, 500, "720p"), Fetches().plus(NOW + 1_000, 70, None)
    options = {"follower": "one", "now_ms": NOW}
    assert usage.add(session_id, PART, batch=1, fetches=first, **options)
    assert usage.add(session_id, PART, follower="two", batch=1, now_ms=NOW, fetches=second)
    assert not usage.add(session_id, PART, batch=1, fetches=second, **options), "the same batch"
    add(usage, other_id, 1)
    found = usage.of_sessions([session_id, new_session_id(), other_id, session_id])
    assert {each: usage.fetches for each, usage in found.items()} == {
        session_id: {"one": first, "two": second},
        other_id: {},
    }
    assert found[session_id].served == usage.get(session_id) and found[other_id].served == PART
    assert usage.add(session_id, PART, batch=2, **options), "a batch without fetches leaves them"
    assert usage.of_sessions([session_id])[session_id].fetches["one"] == first
    assert usage.add(session_id, PART, batch=3, fetches=second, **options)
    assert usage.of_sessions([session_id])[session_id].fetches["one"] == second
    assert usage.of_sessions([]) == {}


def test_a_follower_reports_how_many_sessions_fetch(usage: Usage) -> None:
    usage.mark("counting", NOW, watching=7)
    assert usage.followers()["counting"].watching == 7
    usage.mark("counting", NOW + 1, watching=0)
    assert usage.followers()["counting"].watching == 0
    usage.leave("counting")
    assert "counting" not in usage.followers()
    usage.mark("counting", NOW + 2)
    assert usage.followers()["counting"].watching is None
    usage.leave("counting")
