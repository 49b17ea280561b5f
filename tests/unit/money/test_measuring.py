"""When a session's usage is complete: what followers reported, lost and left out."""

import pytest

from chalicelib.domain.money.measuring import (
    FOLLOWER_GONE_MS,
    GIVE_UP_MS,
    LOG_ARRIVES_MS,
    Measurement,
    is_followed,
    measurement,
)
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS
from chalicelib.domain.money.usage import Follower
from chalicelib.services.money.reconciliation import RUN_S_MAX
from gateway.usage.follower import FLUSH_S, LOG_LAG_MS

STARTED = 1_800_000_000_000
ENDED = STARTED + 600_000
PAST = ENDED + LOG_ARRIVES_MS
GONE = STARTED - FOLLOWER_GONE_MS
MEASURED, PENDING, NEVER = Measurement.MEASURED, Measurement.PENDING, Measurement.NEVER


def at(*through_ms, **options):
    return [Follower(through_ms=each, **options) for each in through_ms]


def found(*followers, now_ms=PAST + 60_000):
    return measurement(STARTED, ENDED, {str(n): each for n, each in enumerate(followers)}, now_ms)


@pytest.mark.parametrize(
    ("followers", "expected"),
    [
        ([], PENDING),
        *((at(PAST), MEASURED), (at(PAST - 1), PENDING), (at(PAST, PAST - 1), PENDING), (at(PAST, PAST + 1), MEASURED)),
        # A follower that was silent for an hour before the start does not count, one that ran in this hour does.
        *((at(PAST, GONE), MEASURED), (at(PAST, GONE + 1), PENDING), (at(GONE), PENDING), (at(PAST, STARTED), PENDING)),
        # One that catches up with an old log reports now.
        (at(PAST) + at(GONE, reported_at_ms=PAST), PENDING),
        (at(PAST) + at(0, reported_at_ms=0), MEASURED),
    ],
)
def test_a_session_is_measured_once_every_follower_of_its_time_is_past_it(followers, expected):
    assert found(*followers) is expected


@pytest.mark.parametrize("through_ms", [PAST, STARTED, GONE, 0])
def test_a_lost_range_that_overlaps_the_session_makes_it_unmeasured_for_ever(through_ms):
    def lost(*ranges):
        return found(*at(PAST + 9), *at(through_ms, lost=ranges))

    for first, last in ((STARTED, STARTED), (STARTED - 9, PAST + 9), (PAST, PAST + 9), (STARTED - 9, STARTED)):
        assert lost((first, last)) is NEVER and lost((1, 2), (first, last)) is NEVER
    if through_ms in (PAST, 0):
        assert lost((STARTED - 9, STARTED - 1), (PAST + 1, PAST + 9)) is MEASURED


def test_a_session_that_waits_for_a_day_is_never_measured():
    for followers in ([], at(PAST, STARTED)):
        assert found(*followers, now_ms=ENDED + GIVE_UP_MS) is PENDING
        assert found(*followers, now_ms=ENDED + GIVE_UP_MS + 1) is NEVER
    assert found(*at(PAST), now_ms=ENDED + 2 * GIVE_UP_MS) is MEASURED


def test_logs_are_followed_while_any_follower_has_reported_within_an_hour():
    now_ms, old = PAST, PAST - FOLLOWER_GONE_MS
    reports = {(): False, (old,): False, (old + 1,): True, (old, now_ms): True, (0,): False}
    assert {each: is_followed({str(n): Follower(through_ms=n) for n in each}, now_ms) for each in reports} == reports
    assert is_followed({"late": Follower(through_ms=old, reported_at_ms=now_ms)}, now_ms)


def test_a_session_is_reconciled_once_its_log_has_arrived_and_within_3_minutes():
    report_ms = LOG_ARRIVES_MS + LOG_LAG_MS + int(FLUSH_S * 1000)
    schedule_ms = 60_000
    assert report_ms <= RECONCILE_AFTER_MS - 10_000
    assert RECONCILE_AFTER_MS + schedule_ms + RUN_S_MAX * 1000 <= 180_000
