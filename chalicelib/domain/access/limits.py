"""Token buckets for rate limits. Pure rules; the table `limits` stores one number for each bucket.

The number is the time at which the bucket is full again (`full_at_ms`). Taking a token adds the time that one token
needs to return; a bucket whose time is past is full. So taking is one conditional addition, nothing has to be refilled,
and a clock error of some seconds costs only the tokens of those seconds.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Self

BACK_S_MAX = 3_600
KEY_CHARS = 32
IPV6_PREFIX = 64


@dataclass(frozen=True)
class Limit:
    """`burst` tokens at once, then one every `back_every_ms`. As a text: `10+1/10s`."""

    burst: int
    back_every_ms: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the limit of a text. Raise `ValueError` if it is not within bounds."""
        found = re.fullmatch(r"([0-9]{1,7})\+1/([0-9]{1,4})s", text)
        burst, back_s = (int(found[1]), int(found[2])) if found else (0, 0)
        if not burst or not 1 <= back_s <= BACK_S_MAX:
            raise ValueError(text)
        return cls(burst, back_s * 1000)

    def __str__(self) -> str:
        return f"{self.burst}+1/{self.back_every_ms // 1000}s"

    @property
    def span_ms(self) -> int:
        """The time that an empty bucket takes to fill."""
        return self.burst * self.back_every_ms

    def last_ms(self, now_ms: int) -> int:
        """Return the latest `full_at_ms` at which a token is left."""
        return now_ms + self.span_ms - self.back_every_ms


@dataclass(frozen=True, kw_only=True)
class Allowances:
    """The rate limits of a stage."""

    # Failed logins to one account from one address, and to any account from one address.
    login: Limit = Limit(10, 10_000)
    login_address: Limit = Limit(60, 10_000)
    # Starts of one user. A start allows some seconds of media at once, and a stop refunds them, so repeating both
    # would be almost free. A viewer who looks through many streams needs about 20 at once.
    start: Limit = Limit(20, 30_000)


def wait_ms(limit: Limit, full_at_ms: int, now_ms: int) -> int:
    """Return how long until a token is available, 0 if now.

    It is at most the time to fill the bucket: a larger value comes from a clock that is ahead, or from a larger limit.
    """
    return min(max(0, full_at_ms - limit.last_ms(now_ms)), limit.span_ms)


def login_key(email: str, ip: str) -> str:
    """Return the bucket of failed logins to one account from one address. Hashed, so it reveals no addresses."""
    return "login." + _hashed(f"{email.lower()}\n{network_of(ip)}")


def login_address_key(ip: str) -> str:
    """Return the bucket of failed logins to any account from one address."""
    return "login-from." + _hashed(network_of(ip))


def start_key(user_id: str) -> str:
    """Return the bucket of a user's starts."""
    return f"start.{user_id}"


def network_of(ip: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        address: IPv4Address | IPv6Address = ip_address(ip.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:KEY_CHARS]
