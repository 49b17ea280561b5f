"""Rules for the URLs of `pull` sources.

The API, the worker and every request that a playlist causes follow these rules. The worker also checks the resolved
address each time it connects.
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, urlsplit

from chalicelib.domain.errors import SourceUrlRefused
from chalicelib.domain.streams.addresses import IpAddress, IpNetwork, is_allowed_address

URL_CHARACTERS_MAX = 2_048
HOST_CHARACTERS_MAX = 253
# Printable ASCII without the space, and without characters that some parsers read as a slash or an end.
PLAIN = re.compile(r"[!-~]+")
AMBIGUOUS = re.compile(r"[\\\"<>^`{|}]")
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# Forms that resolvers may read as an IPv4 address: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
PORTS: dict[str, frozenset[int]] = {
    "https": frozenset({443, 8443}),
    "rtmps": frozenset({443, 1935, 1936, 2935}),
    "srt": frozenset(range(1024, 65_536)),
}
PORT_DEFAULTS = {"https": 443, "rtmps": 443}
# The SRT library takes any option from the query of a URL. `latency` is in microseconds, as in OBS.
SRT_OPTIONS = {
    # It delays the first picture, and opening a source times out after 15 s.
    "latency": re.compile(r"[0-9]{1,7}"),
    "mode": re.compile(r"caller"),
    "passphrase": re.compile(r"[!-~]{10,64}"),
    "pbkeylen": re.compile(r"16|24|32"),
    "streamid": re.compile(r"[ -~]{1,512}"),
}


@dataclass(frozen=True, kw_only=True)
class SourceUrl:
    """An allowed URL. `url` has a lower-case host and always a port; `options` are those of an SRT URL, decoded.

    URLs contain passwords, so its `repr` shows neither.
    """

    scheme: str
    host: str
    port: int
    url: str = field(repr=False)
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def address(self) -> IpAddress | None:
        """The host as an IP address; None if it is a name."""
        return _literal(self.host)

    @property
    def without_query(self) -> str:
        """The URL without its query, which may contain passwords."""
        return self.url.partition("?")[0]


def check_source_url(
    text: str, *, ports: frozenset[int] = frozenset(), networks: tuple[IpNetwork, ...] = ()
) -> SourceUrl:
    """Return the source of a URL. `ports` and `networks` are further ones that the configuration allows.

    Raise `SourceUrlRefused`.
    """
    parts = _split(text)
    host = _host(parts, networks)
    port = _port(parts, ports)
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme == "srt":
        return SourceUrl(
            scheme="srt", host=host, port=port, url=f"srt://{shown}:{port}?{parts.query}", options=_srt_options(parts)
        )
    rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return SourceUrl(scheme=parts.scheme, host=host, port=port, url=f"{parts.scheme}://{shown}:{port}{rest}")


def _split(text: str) -> SplitResult:
    if len(text) > URL_CHARACTERS_MAX:
        _refuse(f"it has {len(text)} characters; allowed: {URL_CHARACTERS_MAX} at most")
    if not PLAIN.fullmatch(text) or AMBIGUOUS.search(text):
        _refuse('it has a character that is not allowed; allowed: printable ASCII without spaces, \\ " < > ^ ` { | }')
    try:
        parts = urlsplit(text)
    except ValueError:
        _refuse("its host is not complete; allowed: a name, an IPv4 address, or an IPv6 address in brackets")
    if parts.scheme not in PORTS or not text[len(parts.scheme) :].startswith("://"):
        _refuse(f"its scheme is not one that is pulled; allowed: {', '.join(f'{name}://' for name in PORTS)}")
    if "@" in parts.netloc:
        _refuse("it has a user name or a password before its host; allowed: the host alone")
    if "#" in text:
        _refuse("it has a fragment (#); allowed: a URL without one")
    return parts


def _host(parts: SplitResult, networks: tuple[IpNetwork, ...]) -> str:
    host = parts.hostname or ""
    address = _literal(host)
    if address is None:
        labels = host.split(".")
        if NUMERIC.fullmatch(labels[-1]):
            _refuse(f"its host {host!r} is a number; allowed: a name, or an IPv4 address as four decimal numbers")
        if len(host) > HOST_CHARACTERS_MAX or not all(LABEL.fullmatch(label) for label in labels):
            _refuse(f"its host {host[:80]!r} is neither a name of letters, digits and hyphens nor an IP address")
        # Some resolvers map it to the local machine without a lookup.
        if labels[-1] != "localhost":
            return host
        address = IPv4Address("127.0.0.1")
    if not is_allowed_address(address, networks):
        allowed = "a public address, or one in a network that TOLLCAST_INGEST_NETWORKS names"
        _refuse(f"its host {host!r} is not public; allowed: {allowed}")
    return str(address)


def _literal(host: str) -> IpAddress | None:
    """Return the address if the host is one in canonical form, else None."""
    try:
        # An address with a zone has a meaning on this machine only.
        return IPv6Address(host) if ":" in host and "%" not in host else IPv4Address(host)
    except ValueError:
        return None


def _port(parts: SplitResult, extra: frozenset[int]) -> int:
    # `SplitResult.port` also accepts "+1" and digits of other scripts, and reads an empty port as none.
    text = parts.netloc.rpartition("]")[2].partition(":")
    port = int(text[2]) if re.fullmatch(r"[0-9]{1,5}", text[2]) else None
    if not text[1]:
        port = PORT_DEFAULTS.get(parts.scheme)
    if port is None or port not in PORTS[parts.scheme] | extra:
        given = "is missing" if not text[1] else f"{text[2][:10]!r} is not allowed"
        _refuse(f"its port {given}; allowed for {parts.scheme}: {_ports(parts.scheme, extra)}")
    return port


def _ports(scheme: str, extra: frozenset[int]) -> str:
    if scheme == "srt":
        return "1024 to 65535" + "".join(f", {port}" for port in sorted(extra) if port < 1024)
    return ", ".join(str(port) for port in sorted(PORTS[scheme] | extra))


def _srt_options(parts: SplitResult) -> tuple[tuple[str, str], ...]:
    if parts.path not in ("", "/"):
        _refuse("it has a path; allowed for srt: the host, the port and options, for instance ?streamid=name")
    try:
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), max_num_fields=8)
    except ValueError:
        _refuse("its options cannot be read; allowed for srt: name=value, joined by &")
    allowed = (
        "latency (in microseconds, less than 10 s), mode=caller, passphrase (10 to 64 characters), "
        "pbkeylen (16, 24 or 32), streamid"
    )
    for name, value in options:
        if name not in SRT_OPTIONS:
            _refuse(f"its option {name[:40]!r} is not allowed; allowed for srt: {allowed}")
        if not SRT_OPTIONS[name].fullmatch(value):
            _refuse(f"the value of its option {name!r} is not allowed; allowed for srt: {allowed}")
    if len({name for name, _ in options}) < len(options):
        _refuse("it has an option twice; allowed: each once")
    return tuple(options)


def _refuse(what: str) -> NoReturn:
    raise SourceUrlRefused(f"The source's URL is refused: {what}.")
