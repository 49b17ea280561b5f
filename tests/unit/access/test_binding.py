"""The rule which clients count as the one that a session is bound to."""

import pytest

from chalicelib.domain.access.clients import AGENT_CHARS_MAX, Client, differing


@pytest.mark.parametrize(
    ("first", "other", "words"),
    [
        (("192.0.2.1", "mpv"), ("192.0.2.1", "mpv"), []),
        (("192.0.2.1", "mpv"), ("192.0.2.2", "mpv"), ["address"]),
        (("192.0.2.1", "mpv"), ("192.0.2.1", "vlc"), ["user agent"]),
        (("192.0.2.1", ""), ("192.0.2.9", "x"), ["address", "user agent"]),
        # Of an IPv6 network, a host takes one address after the other.
        (("2001:db8:1:2::1", "mpv"), ("2001:db8:1:2:ffff::9", "mpv"), []),
        (("2001:db8:1:2::1", "mpv"), ("2001:db8:1:3::1", "mpv"), ["address"]),
        (("::ffff:192.0.2.1", "mpv"), ("192.0.2.1", "mpv"), []),
        (("2001:db8::1", "mpv"), ("192.0.2.1", "mpv"), ["address"]),
        (("192.0.2.1", "a" * AGENT_CHARS_MAX + "b"), ("192.0.2.1", "a" * AGENT_CHARS_MAX + "c"), []),
    ],
)
def test_who_is_the_same(first: tuple[str, str], other: tuple[str, str], words: list[str]) -> None:
    one, two = (Client(ip=ip, user_agent=agent).bound for ip, agent in (first, other))
    assert differing(one, two) == words and differing(two, one) == words
