"""The access rule beyond the vectors of all fronts (`tests/vectors`): its boundaries, and what it returns."""

from dataclasses import replace

import pytest

from chalicelib.domain.access.clients import AGENT_CHARS_MAX, Client, differing
from chalicelib.domain.access.tokens import PLAY_TTL_MS_MAX
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import SessionOver, Unauthenticated
from chalicelib.domain.money.lease import GRACE_MS
from tests.vectors.model import ALLOW, OPEN, State, Vector
from tests.vectors.world import Case, World

NOW_MS = 1_800_000_000_000
PAID_UNTIL_MS = NOW_MS + OPEN.paid_ms
CASE = Case(Vector(name="a session of a stream", expect=ALLOW), NOW_MS)


@pytest.fixture
def world():
    world = World(NOW_MS)
    world.enter(CASE, OPEN)
    return world


def authorize(world, token=None):
    return world.authorize(token or CASE.play(), CASE.session_id, None)


def end_reason(world, token=None):
    with pytest.raises(SessionOver) as over:
        authorize(world, token)
    return over.value.reason


def test_a_paid_session_is_allowed_until_its_lease_ends_and_never_longer_than_its_token(world):
    decision = authorize(world)
    assert (decision.stream_id, decision.user_id, decision.until_ms) == (CASE.stream_id, CASE.user_id, PAID_UNTIL_MS)
    assert authorize(world, CASE.play(expires_at_ms=NOW_MS + 1_000)).until_ms == NOW_MS + 1_000


def test_the_grace_lets_a_beat_arrive_and_no_more(world):
    token = CASE.play(expires_at_ms=PAID_UNTIL_MS + 60_000)
    world.clock.advance(10_000 + GRACE_MS - 1)
    assert authorize(world, token).until_ms < world.clock.now_ms()
    world.clock.advance(1)
    assert end_reason(world, token) is EndReason.LEASE_EXPIRED
    world.enter(CASE, State(paid_ms=-GRACE_MS, balance_millipoints=0))
    assert end_reason(world, token) is EndReason.BALANCE_EXHAUSTED


@pytest.mark.parametrize("reason", EndReason)
def test_an_ended_session_raises_its_reason_even_with_an_expired_token(world, reason):
    world.enter(CASE, State(ended=reason))
    assert end_reason(world, CASE.play(expires_at_ms=NOW_MS - 10_000)) is reason


def test_a_stream_that_does_not_exist_is_stopped(world, monkeypatch):
    monkeypatch.setattr(world, "desired", lambda stream_id: None)
    assert end_reason(world) is EndReason.STREAM_STOPPED


def test_a_good_token_opens_its_own_session_only_and_none_opens_nothing(world):
    wallet = world.store.wallets[CASE.user_id]
    other = replace(wallet.sessions[CASE.session_id], session_id=CASE.other_id)
    world.store.wallets[CASE.user_id] = replace(wallet, sessions={**wallet.sessions, CASE.other_id: other})
    token = CASE.play(session_id=CASE.other_id)
    assert world.authorize(token, CASE.other_id, None).session_id == CASE.other_id
    for wrong in (token, None, ""):
        with pytest.raises(Unauthenticated):
            world.authorize(wrong, CASE.session_id, None)


def test_a_token_lives_as_long_as_its_lease_and_the_grace(world):
    session = world.store.wallets[CASE.user_id].sessions[CASE.session_id]
    token, expires_in_s = world._rule.issue(CASE.user_id, session)
    assert (expires_in_s, CASE.tokens.play(token).expires_at_ms) == (15, PAID_UNTIL_MS + GRACE_MS)
    long = replace(session, paid_until_ms=NOW_MS + 600_000)
    assert world._rule.issue(CASE.user_id, long)[1] == PLAY_TTL_MS_MAX // 1000


FIRST, LONG, BOTH = ("192.0.2.1", "mpv"), "a" * AGENT_CHARS_MAX, ["address", "user agent"]


@pytest.mark.parametrize(
    ("first", "other", "words"),
    [
        *((FIRST, FIRST, []), (FIRST, ("192.0.2.2", "mpv"), ["address"])),
        *((FIRST, ("192.0.2.1", "vlc"), ["user agent"]), (("192.0.2.1", ""), ("192.0.2.9", "x"), BOTH)),
        # Of an IPv6 network, a host takes one address after the other.
        (("2001:db8:1:2::1", "mpv"), ("2001:db8:1:2:ffff::9", "mpv"), []),
        (("2001:db8:1:2::1", "mpv"), ("2001:db8:1:3::1", "mpv"), ["address"]),
        *((("::ffff:192.0.2.1", "mpv"), FIRST, []), (("2001:db8::1", "mpv"), FIRST, ["address"])),
        (("192.0.2.1", LONG + "b"), ("192.0.2.1", LONG + "c"), []),
    ],
)
def test_who_is_the_same(first, other, words):
    one, two = (Client(ip=ip, user_agent=agent).bound for ip, agent in (first, other))
    assert differing(one, two) == words and differing(two, one) == words
