"""The rule what counts as an outage, and the refund for each, which never exceeds the payment."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.streams import outages as rules
from chalicelib.domain.streams.outages import KEPT_MAX, KEPT_MS, next_credit, outages_of, with_outages
from chalicelib.domain.streams.runtime import Claim, Outage, Runtime, RuntimeState
from tests.fakes.money.sessions import active_session

NOW = 1_800_000_000_000
CLAIM = Claim(stream_id="stream-1", worker_id="w1", epoch=1, expires_at_ms=NOW + 10_000)
LIVE = Runtime(stream_id="stream-1", state=RuntimeState.LIVE, claim=CLAIM, last_manifest_at_ms=NOW - 2_000)
PAID = {"seq": 3, "paid_until_ms": NOW + 10_000, "charged_millipoints": 30_000, "granted_ms": 30_000}
SESSION = active_session(NOW - 20_000, **PAID)


def outage(since_ms, until_ms=None):
    return Outage(since_ms=NOW + since_ms, until_ms=None if until_ms is None else NOW + until_ms)


def interrupted(runtime, ms):
    """Return the runtime after an outage of a millisecond."""
    stalled = replace(LIVE, state=RuntimeState.STALLED, last_manifest_at_ms=NOW + ms)
    return with_outages(with_outages(runtime, stalled, NOW + ms), LIVE, NOW + ms + 1)


def test_a_stream_that_stalls_is_down_since_its_last_playlist():
    stalled = with_outages(LIVE, replace(LIVE, state=RuntimeState.STALLED), NOW)
    assert (stalled.down_since_ms, stalled.outages) == (NOW - 2_000, ())
    longer = with_outages(stalled, replace(LIVE, state=RuntimeState.BACKOFF, last_manifest_at_ms=None), NOW + 5_000)
    assert longer.down_since_ms == NOW - 2_000
    back = with_outages(longer, LIVE, NOW + 9_000)
    assert (back.down_since_ms, back.outages) == (None, (outage(-2_000, 9_000),))
    assert outages_of(back, NOW + 9_000) == back.outages


def test_a_claim_that_ends_is_an_outage():
    assert with_outages(LIVE, replace(LIVE, state=RuntimeState.STOPPED), NOW).down_since_ms == NOW
    assert rules.outage_began_ms(replace(LIVE, last_manifest_at_ms=None), NOW) == NOW
    assert outages_of(LIVE, CLAIM.expires_at_ms) == (outage(-2_000),)
    assert outages_of(LIVE, CLAIM.expires_at_ms - 1) == () and outages_of(None, NOW) == ()
    assert rules.newest_outage_ms(()) == 0


def test_only_the_newest_outages_are_kept_and_those_that_the_reaper_still_asks_for():
    runtime = LIVE
    for n in range(KEPT_MAX + 3):
        runtime = interrupted(runtime, n)
    assert (len(runtime.outages), rules.newest_outage_ms(runtime.outages)) == (KEPT_MAX, NOW + KEPT_MAX + 2)
    runtime = LIVE
    for ms in (0, 5_000, KEPT_MS - 1, KEPT_MS + 8_000):
        runtime = interrupted(runtime, ms)
    assert [outage.since_ms - NOW for outage in runtime.outages] == [KEPT_MS - 1, KEPT_MS + 8_000]


@pytest.mark.parametrize(
    ("since_ms", "until_ms", "changes", "millipoints"),
    [
        # Going on: all that is paid behind its beginning.
        *((-6_000, None, {}, 16_000), (9_999, None, {}, 1), (10_000, None, {}, 0)),
        # Over: only what lay inside.
        *((-6_000, -1_000, {}, 5_000), (-90_000, -15_000, {}, 5_000), (-90_000, -20_000, {}, 0)),
        # A gap before the last lease was not paid.
        (-19_000, -1_000, {"paid_from_ms": NOW - 4_000}, 3_000),
        # What was free is not given back.
        (-6_000, None, {"free_from_ms": NOW, "free_until_ms": NOW + 10_000}, 6_000),
        (-6_000, 0, {"free_from_ms": NOW - 5_000, "free_until_ms": NOW - 3_000}, 4_000),
        # Never more than was charged, and nothing twice.
        *((-6_000, None, {"charged_millipoints": 7_000}, 7_000), (-6_000, None, {"outage_ms": NOW - 6_000}, 0)),
    ],
)
def test_what_an_outage_gives_back(since_ms, until_ms, changes, millipoints):
    credit = next_credit(replace(SESSION, **changes), (outage(since_ms, until_ms),), NOW)
    assert (credit.millipoints if credit else 0) == millipoints


def test_several_outages_are_credited_oldest_first_and_overlapping_ones_pay_for_no_moment_twice():
    def credited(*outages):
        session, found = SESSION, []
        while credit := next_credit(session, outages, NOW):
            found.append((credit.outage_ms - NOW, credit.millipoints))
            session = replace(session, outage_ms=credit.outage_ms)
        return found

    assert credited(outage(-15_000, -14_000), outage(-3_000, -1_000)) == [(-15_000, 1_000), (-3_000, 2_000)]
    assert credited(outage(-15_000, -10_000), outage(-12_000, -9_000)) == [(-15_000, 5_000), (-12_000, 1_000)]


TIMES = st.integers(min_value=NOW - 60_000, max_value=NOW + 60_000)


@given(st.lists(TIMES, min_size=2, max_size=12), st.booleans(), st.integers(0, 30_000), TIMES, st.integers(0, 40_000))
def test_credits_never_exceed_what_was_charged_or_paid_for_in_vain(marks, going_on, charged, free_from_ms, free_ms):
    marks = sorted(set(marks))
    outages = [Outage(since_ms=a, until_ms=b) for a, b in zip(marks[::2], marks[1::2], strict=False)]
    if going_on:
        outages.append(Outage(since_ms=marks[-1] + 1, until_ms=None))
    free = {"free_from_ms": free_from_ms, "free_until_ms": free_from_ms + free_ms}
    session, given_back = replace(SESSION, charged_millipoints=charged, **free), 0
    while (credit := next_credit(session, tuple(outages), NOW)) is not None:
        given_back += credit.millipoints
        rest = session.charged_millipoints - credit.millipoints
        free = {"free_from_ms": credit.free_from_ms, "free_until_ms": credit.free_until_ms}
        session = replace(session, charged_millipoints=rest, outage_ms=credit.outage_ms, **free)
    assert 0 <= given_back <= charged
    until_ms, from_ms = SESSION.paid_until_ms, SESSION.paid_from_ms
    assert given_back <= sum(max(0, min(o.until_ms or 10**15, until_ms) - max(o.since_ms, from_ms)) for o in outages)
