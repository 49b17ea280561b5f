"""The port `Counters`: the fake and DynamoDB count alike. Totals never fall, whatever restarts or fails."""

from typing import Any

import pytest

from chalicelib.adapters.operations import dynamodb_counters
from chalicelib.adapters.operations.dynamodb_counters import FLUSH_EVERY_MS, KEEP_S, DynamoCounters
from chalicelib.config import Settings
from chalicelib.domain.operations.totals import rise_of
from chalicelib.ports.common import StoreUnavailable
from chalicelib.stores import Stores
from tests.fakes.simple import SetClock

DAY_MS = 86_400_000
# 30 s before midnight (UTC).
EVENING = 1_800_057_600_000 // DAY_MS * DAY_MS + DAY_MS - 30_000


@pytest.fixture
def prefix(settings: Settings) -> str:
    return settings.table_prefix


def test_totals_and_gauges(stores: Stores) -> None:
    counters = stores.counters
    for name, amount in (("spent_millipoints", 700), ("spent_millipoints", -300), ("problem.404.not_found", 2)):
        counters.add(name, amount)
    counters.add("spent_millipoints", 50)
    expected = {"spent_millipoints": 750, "returned_millipoints": 300, "problem.404.not_found": 2}
    assert dict(counters.totals()) == expected
    counters.flush()
    assert dict(counters.totals()) == expected
    assert dict(counters.gauges()) == {}
    counters.set_gauge("ledger_pages_behind", 3)
    counters.set_gauge("ledger_pages_behind", 0)
    assert dict(counters.gauges()) == {"ledger_pages_behind": 0}
    assert dict(counters.totals()) == expected


def test_a_counter_that_only_rises_cannot_be_lowered() -> None:
    with pytest.raises(ValueError, match="login_failures"):
        rise_of("login_failures", -1)


def test_totals_never_fall_over_restarts_minutes_and_midnight(prefix: str) -> None:
    clock, seen = SetClock(EVENING), [0]
    for round_number in range(6):
        process = DynamoCounters(prefix, clock)
        for _ in range(3):
            process.add("login_failures")
            process.flush_if_due()
            clock.advance(FLUSH_EVERY_MS)
        seen.append(process.totals()["login_failures"])
        if round_number % 2:
            process.add("login_failures")  # It is killed before the next flush: no reader has seen this one.
        seen.append(DynamoCounters(prefix, clock).totals()["login_failures"])
    assert clock.now_ms() > EVENING + 30_000, "midnight has passed"
    assert seen == sorted(seen) and seen[-1] == 18
    clock.advance(KEEP_S * 1000)
    assert dict(DynamoCounters(prefix, clock).minutes(clock.now_ms() // 60_000 - 1, clock.now_ms() // 60_000 - 1)) == {
        clock.now_ms() // 60_000 - 1: {}
    }
    assert DynamoCounters(prefix, clock).totals()["login_failures"] == 18


def test_processes_add_to_the_same_totals(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock(EVENING)
    for pid in range(1, 12):
        monkeypatch.setattr(dynamodb_counters.os, "getpid", lambda pid=pid: pid)
        process = DynamoCounters(prefix, clock)
        process.add("playback_errors", pid)
        process.flush()
    assert process.totals()["playback_errors"] == sum(range(1, 12))
    minute = EVENING // 60_000
    assert process.minutes(minute, minute) == {minute: {"playback_errors": sum(range(1, 12))}}


@pytest.mark.parametrize("failing", [0, 1])
def test_what_one_of_the_two_writes_could_not_write_it_writes_later(
    failing: int, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    emitted: list[dict[str, int]] = []
    counters, writes, real = DynamoCounters(prefix, SetClock(EVENING), emitted.append), [0], dynamodb_counters.call

    def once_failing(*arguments: Any, **given: Any) -> Any:
        writes[0] += 1
        if writes[0] - 1 == failing:
            raise StoreUnavailable("stub")
        return real(*arguments, **given)

    monkeypatch.setattr(dynamodb_counters, "call", once_failing)
    counters.add("login_failures", 4)
    counters.flush()
    counters.add("login_failures")
    counters.flush()
    minute = EVENING // 60_000
    assert counters.totals()["login_failures"] == 5
    assert counters.minutes(minute, minute) == {minute: {"login_failures": 5}}
    assert sum(each["login_failures"] for each in emitted) == 5


def test_the_counters_of_heartbeats_are_in_rows_of_their_own(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shards, real = [], dynamodb_counters.call

    def noting(operation: str, table: str, **given: Any) -> Any:
        shards.append(given["key"]["shard"])
        return real(operation, table, **given)

    monkeypatch.setattr(dynamodb_counters, "call", noting)
    monkeypatch.setattr(dynamodb_counters.os, "getpid", lambda: 8)
    counters = DynamoCounters(prefix, SetClock(EVENING))
    counters.add("spent_millipoints", 5)
    counters.flush_if_due()
    counters.add("problem.404.not_found")
    counters.flush_if_due()
    assert shards == ["0", "total..0"], "two writes of 1 KB, and none until the next is due"
    counters.flush()
    assert shards[2:] == ["0", "total.problem.0"]
