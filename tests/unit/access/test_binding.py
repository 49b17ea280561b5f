"""Who counts as the same client as the one that a session is bound to."""

import pytest

from chalicelib.domain.access.clients import AGENT_CHARS_MAX, Client, differing

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
