"""Token buckets: how often something may be tried. Pure rules; the table `limits` keeps one number a bucket.

That number is the moment at which the bucket is full again (`full_at_ms`). Each token that is taken moves it on by the
time that one token needs to come back, and a bucket that is full at any moment in the past is simply full. So taking is
one conditional addition, nothing has to be refilled, and a clock that is some seconds off is wrong by no more than the
tokens of those seconds.
"""

from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

KEY_CHARS = 32
IPV6_PREFIX = 64


@dataclass(frozen=True)
class Limit:
    """`burst` at once, and from then on one each `back_every_ms`."""

    burst: int
    back_every_ms: int

    @property
    def span_ms(self) -> int:
        """How long an empty bucket takes to fill."""
        return self.burst * self.back_every_ms

    def last_ms(self, now_ms: int) -> int:
        """The latest moment to be full again at which one can still be taken."""
        return now_ms + self.span_ms - self.back_every_ms


@dataclass(frozen=True, kw_only=True)
class Allowances:
    """The limits of a stage."""

    # Failed logins to one account from one address, and to any account from one address.
    login: Limit = Limit(10, 10_000)
    login_address: Limit = Limit(60, 10_000)
    # Starts of one user. A start hands out some seconds of media at once, and a stop gives back what was paid for them:
    # often repeated, that would be watching for next to nothing. 20 at once is somebody who looks through many streams.
    start: Limit = Limit(20, 30_000)


def wait_ms(limit: Limit, full_at_ms: int, now_ms: int) -> int:
    """How long until one can be taken, 0 for at once.

    Never longer than the whole bucket takes: what is further off was written by a clock that is ahead of ours, or under
    a larger limit.
    """
    return min(max(0, full_at_ms - limit.last_ms(now_ms)), limit.span_ms)


def after_taking(limit: Limit, full_at_ms: int, now_ms: int) -> int:
    """When the bucket will be full again after one was taken now."""
    return max(full_at_ms, now_ms) + limit.back_every_ms


def login_key(email: str, ip: str) -> str:
    """The bucket of failed logins to one account from one address. Hashed: it is no list of who lives where."""
    return "login." + _hashed(f"{email.lower()}\n{network_of(ip)}")


def login_address_key(ip: str) -> str:
    """The bucket of failed logins to any account from one address."""
    return "login-from." + _hashed(network_of(ip))


def start_key(user_id: str) -> str:
    """The bucket of a user's starts."""
    return f"start.{user_id}"


def network_of(ip: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that an IPv6 host chooses its addresses from."""
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
