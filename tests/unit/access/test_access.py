"""The access rule beyond the vectors of all fronts (`tests/vectors`): its boundaries, and what it returns."""

from dataclasses import replace

import pytest

from chalicelib.domain.access.clients import AGENT_CHARS_MAX, Client, differing, media_key
from chalicelib.domain.access.tokens import PLAY_TTL_MS_MAX
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import BoundElsewhere, Unauthenticated
from chalicelib.domain.money.errors import SessionOver
from chalicelib.domain.money.lease import GRACE_MS
from chalicelib.domain.streams.stream import SessionBinding
from tests.vectors.case import AccessRule, Case
from tests.vectors.model import ALLOW, OPEN, State, Vector

NOW_MS = 1_800_000_000_000
PAID_UNTIL_MS = NOW_MS + OPEN.paid_ms
CASE = Case(Vector(name="a session of a stream", expect=ALLOW), NOW_MS)


@pytest.fixture
def rule():
    rule = AccessRule(NOW_MS)
    rule.enter(CASE, OPEN)
    return rule


def authorize(rule, token=None, client=None):
    return rule.authorize(token or CASE.play(), CASE.session_id, client)


def end_reason(rule, token=None):
    with pytest.raises(SessionOver) as over:
        authorize(rule, token)
    return over.value.reason


def test_a_paid_session_is_authorized_until_its_lease_ends_and_never_longer_than_its_token(rule):
    decision = authorize(rule)
    assert (decision.stream_id, decision.user_id, decision.fetchable_ms) == (CASE.stream_id, CASE.user_id, 18_000)
    assert decision.until_ms == PAID_UNTIL_MS
    assert authorize(rule, CASE.play(expires_at_ms=NOW_MS + 1_000)).until_ms == NOW_MS + 1_000


def test_a_session_is_bound_to_its_first_client(rule):
    rule.enter(CASE, State(binding=SessionBinding.ENFORCE))
    home, away = (Client(ip=ip, user_agent="mpv") for ip in ("192.0.2.1", "192.0.2.2"))
    authorize(rule, client=home)
    assert rule.clients.rows[media_key(CASE.session_id)].user_id == CASE.user_id
    authorize(rule, client=home)
    for other in (away, None):
        with pytest.raises(BoundElsewhere):
            authorize(rule, client=other)


def test_the_grace_lets_a_beat_arrive_and_no_more(rule):
    token = CASE.play(expires_at_ms=PAID_UNTIL_MS + 60_000)
    rule.clock.advance(10_000 + GRACE_MS - 1)
    assert authorize(rule, token).until_ms < rule.clock.now_ms()
    rule.clock.advance(1)
    assert end_reason(rule, token) is EndReason.LEASE_EXPIRED
    rule.enter(CASE, State(paid_ms=-GRACE_MS, balance_millipoints=0))
    assert end_reason(rule, token) is EndReason.BALANCE_EXHAUSTED


@pytest.mark.parametrize(
    ("millipoints", "reason"), [(0, EndReason.LEASE_EXPIRED), (1, EndReason.BALANCE_EXHAUSTED)], ids=["free", "cheap"]
)
def test_only_a_session_that_costs_points_ends_without_them(rule, millipoints, reason):
    rule.enter(CASE, State(paid_ms=-GRACE_MS, balance_millipoints=0))
    sessions = rule.store.wallets[CASE.user_id].sessions
    sessions[CASE.session_id] = replace(sessions[CASE.session_id], charge_millipoints=millipoints)
    assert end_reason(rule) is reason


def test_a_stream_that_does_not_exist_is_stopped(rule, monkeypatch):
    monkeypatch.setattr(rule, "desired", lambda stream_id: None)
    assert end_reason(rule) is EndReason.STREAM_STOPPED


def test_a_good_token_opens_its_own_session_only_and_none_opens_nothing(rule):
    wallet = rule.store.wallets[CASE.user_id]
    other = replace(wallet.sessions[CASE.session_id], session_id=CASE.other_id)
    rule.store.wallets[CASE.user_id] = replace(wallet, sessions={**wallet.sessions, CASE.other_id: other})
    token = CASE.play(session_id=CASE.other_id)
    assert rule.authorize(token, CASE.other_id, None).session_id == CASE.other_id
    for wrong in (token, None, ""):
        with pytest.raises(Unauthenticated):
            rule.authorize(wrong, CASE.session_id, None)


def test_a_token_lives_as_long_as_its_lease_and_the_grace(rule):
    session = rule.store.wallets[CASE.user_id].sessions[CASE.session_id]
    token, expires_in_s = rule._rule.issue(CASE.user_id, session)
    assert (expires_in_s, CASE.tokens.play(token).expires_at_ms) == (15, PAID_UNTIL_MS + GRACE_MS)
    long = replace(session, paid_until_ms=NOW_MS + 600_000)
    assert rule._rule.issue(CASE.user_id, long)[1] == PLAY_TTL_MS_MAX // 1000
    for later_ms in (10_000 + GRACE_MS - 999, 10_000):
        rule.clock.advance(later_ms)
        expires_in_s = rule._rule.issue(CASE.user_id, session)[1]
        assert (type(expires_in_s), expires_in_s) == (int, 0)


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
