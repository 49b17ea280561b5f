"""The rule what counts as an outage, and the refund for each, which never exceeds the payment."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession, SessionKind
from chalicelib.domain.streams.outages import (
    KEPT_MAX,
    KEPT_MS,
    newest_outage_ms,
    next_credit,
    outage_began_ms,
    outages_of,
    with_outages,
)
from chalicelib.domain.streams.runtime import Claim, Outage, Runtime, RuntimeState

NOW = 1_800_000_000_000
CLAIM = Claim(stream_id="stream-1", worker_id="w1", epoch=1, expires_at_ms=NOW + 10_000)
LIVE = Runtime(stream_id="stream-1", state=RuntimeState.LIVE, claim=CLAIM, last_manifest_at_ms=NOW - 2_000)
SESSION = ActiveSession(
    session_id="a" * 26,
    stream_id="stream-1",
    kind=SessionKind.VIEWING,
    started_at_ms=NOW - 20_000,
    rate_millipoints_per_minute=60_000,
    lease_ms=10_000,
    charge_millipoints=10_000,
    seq=3,
    paid_from_ms=NOW - 20_000,
    paid_until_ms=NOW + 10_000,
    charged_millipoints=30_000,
    budget_millipoints=MILLIPOINTS_MAX,
    granted_ms=30_000,
)


def test_a_stream_that_stalls_is_down_since_its_last_playlist() -> None:
    stalled = with_outages(LIVE, replace(LIVE, state=RuntimeState.STALLED), NOW)
    assert (stalled.down_since_ms, stalled.outages) == (NOW - 2_000, ())
    longer = with_outages(stalled, replace(LIVE, state=RuntimeState.BACKOFF, last_manifest_at_ms=None), NOW + 5_000)
    assert longer.down_since_ms == NOW - 2_000
    back = with_outages(longer, LIVE, NOW + 9_000)
    assert (back.down_since_ms, back.outages) == (None, (Outage(since_ms=NOW - 2_000, until_ms=NOW + 9_000),))
    assert outages_of(back, NOW + 9_000) == back.outages


def test_a_stream_that_was_to_stop_is_down_from_then_on() -> None:
    assert with_outages(LIVE, replace(LIVE, state=RuntimeState.STOPPED), NOW).down_since_ms == NOW
    assert outage_began_ms(replace(LIVE, last_manifest_at_ms=None), NOW) == NOW


def test_an_expired_claim_is_an_outage_although_the_worker_said_live() -> None:
    assert outages_of(LIVE, CLAIM.expires_at_ms) == (Outage(since_ms=NOW - 2_000, until_ms=None),)
    assert outages_of(LIVE, CLAIM.expires_at_ms - 1) == ()
    assert outages_of(None, NOW) == ()
    assert newest_outage_ms(()) == 0


def test_only_the_newest_outages_are_kept() -> None:
    runtime: Runtime = LIVE
    for n in range(KEPT_MAX + 3):
        down = with_outages(runtime, replace(LIVE, state=RuntimeState.STALLED, last_manifest_at_ms=NOW + n), NOW + n)
        runtime = with_outages(down, LIVE, NOW + n + 1)
    assert len(runtime.outages) == KEPT_MAX
    assert newest_outage_ms(runtime.outages) == NOW + KEPT_MAX + 2


@pytest.mark.parametrize(
    ("since_ms", "until_ms", "session", "millipoints"),
    [
        # Going on: all that is paid behind its beginning.
        (NOW - 6_000, None, SESSION, 16_000),
        (NOW + 9_999, None, SESSION, 1),
        (NOW + 10_000, None, SESSION, 0),
        # Over: only what lay inside.
        (NOW - 6_000, NOW - 1_000, SESSION, 5_000),
        (NOW - 90_000, NOW - 15_000, SESSION, 5_000),
        (NOW - 90_000, NOW - 20_000, SESSION, 0),
        # A gap before the last lease was not paid.
        (NOW - 19_000, NOW - 1_000, replace(SESSION, paid_from_ms=NOW - 4_000), 3_000),
        # What was free is not given back.
        (NOW - 6_000, None, replace(SESSION, free_from_ms=NOW, free_until_ms=NOW + 10_000), 6_000),
        (NOW - 6_000, NOW, replace(SESSION, free_from_ms=NOW - 5_000, free_until_ms=NOW - 3_000), 4_000),
        # Never more than was charged, and nothing twice.
        (NOW - 6_000, None, replace(SESSION, charged_millipoints=7_000), 7_000),
        (NOW - 6_000, None, replace(SESSION, outage_ms=NOW - 6_000), 0),
    ],
)
def test_what_an_outage_gives_back(
    since_ms: int, until_ms: int | None, session: ActiveSession, millipoints: int
) -> None:
    credit = next_credit(session, (Outage(since_ms=since_ms, until_ms=until_ms),), NOW)
    assert (credit.millipoints if credit else 0) == millipoints


def test_several_outages_are_credited_oldest_first() -> None:
    outages = (Outage(since_ms=NOW - 15_000, until_ms=NOW - 14_000), Outage(since_ms=NOW - 3_000, until_ms=NOW - 1_000))
    first = next_credit(SESSION, outages, NOW)
    assert first
    assert (first.outage_ms, first.millipoints) == (NOW - 15_000, 1_000)
    second = next_credit(replace(SESSION, outage_ms=first.outage_ms), outages, NOW)
    assert second
    assert (second.outage_ms, second.millipoints) == (NOW - 3_000, 2_000)
    assert next_credit(replace(SESSION, outage_ms=second.outage_ms), outages, NOW) is None


def test_what_lies_long_back_is_forgotten_but_not_what_the_reaper_still_asks_for() -> None:
    runtime: Runtime = LIVE
    for ms in (0, 5_000, KEPT_MS - 1, KEPT_MS + 8_000):
        down = with_outages(runtime, replace(LIVE, state=RuntimeState.STALLED, last_manifest_at_ms=NOW + ms), NOW + ms)
        runtime = with_outages(down, LIVE, NOW + ms + 1)
    assert [outage.since_ms - NOW for outage in runtime.outages] == [KEPT_MS - 1, KEPT_MS + 8_000]


def test_outages_that_overlap_pay_for_no_moment_twice() -> None:
    outages = (
        Outage(since_ms=NOW - 15_000, until_ms=NOW - 10_000),
        Outage(since_ms=NOW - 12_000, until_ms=NOW - 9_000),
    )
    first = next_credit(SESSION, outages, NOW)
    assert first
    second = next_credit(replace(SESSION, outage_ms=first.outage_ms), outages, NOW)
    assert second
    assert (first.millipoints, second.millipoints) == (5_000, 1_000)


TIMES = st.integers(min_value=NOW - 60_000, max_value=NOW + 60_000)


@given(st.lists(TIMES, min_size=2, max_size=12), st.booleans(), st.integers(0, 30_000), TIMES, st.integers(0, 40_000))
def test_credits_never_exceed_what_was_charged_or_paid_for_in_vain(
    marks: list[int], going_on: bool, charged: int, free_from_ms: int, free_ms: int
) -> None:
    marks = sorted(set(marks))
    outages = [Outage(since_ms=a, until_ms=b) for a, b in zip(marks[::2], marks[1::2], strict=False)]
    if going_on:
        outages.append(Outage(since_ms=marks[-1] + 1, until_ms=None))
    session = replace(
        SESSION, charged_millipoints=charged, free_from_ms=free_from_ms, free_until_ms=free_from_ms + free_ms
    )
    given_back, before = 0, session
    while (credit := next_credit(session, tuple(outages), NOW)) is not None:
        given_back += credit.millipoints
        session = replace(
            session,
            charged_millipoints=session.charged_millipoints - credit.millipoints,
            outage_ms=credit.outage_ms,
            free_from_ms=credit.free_from_ms,
            free_until_ms=credit.free_until_ms,
        )
    assert 0 <= given_back <= charged
    vain_ms = sum(
        max(0, min(o.until_ms or 10**15, before.paid_until_ms) - max(o.since_ms, before.paid_from_ms)) for o in outages
    )
    assert given_back <= vain_ms
