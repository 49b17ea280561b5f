"""The proxy for an address, from the environment variables that curl and most programs use."""

import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

import httpx

from player.errors import BadVariableError

PORTS = {"http": 80, "https": 443}
PORT_MAX = 65_535
HOST = re.compile(r"[\w.:-]+")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy, and the variable that names it. Show the variable only: the URL may contain a password."""

    variable: str
    url: str


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for an address, or None if none is set or NO_PROXY excludes the address.

    Raise BadVariableError. Variables for other schemes or excluded hosts are not checked.
    """
    parts = urlsplit(url)
    settings = getproxies()
    kind = next((kind for kind in (parts.scheme, "all") if settings.get(kind)), None)
    if kind is None or _is_excluded(parts, settings.get("no", "")):
        return None
    variable, value = _variable(kind), settings[kind].strip()
    address = value if "://" in value else f"http://{value}"
    return Proxy(variable, _checked(address, variable, parts.hostname or ""))


def _variable(kind: str) -> str:
    """Return the name of the variable that `getproxies` used: it prefers lower case."""
    name = f"{kind}_proxy"
    names = [each for each in os.environ if each.lower() == name and os.environ[each]]
    return name if name in names or not names else names[0]


def _checked(address: str, variable: str, host: str) -> str:
    scheme = address.partition("://")[0].lower()
    if scheme not in PORTS:
        shown = f"a {scheme}:// proxy" if re.fullmatch(r"[a-z][a-z0-9+.-]{0,15}", scheme) else "no proxy address"
        raise _unusable(variable, shown, host)
    try:
        parsed = httpx.URL(address)
        usable = HOST.fullmatch(parsed.host) is not None and (parsed.port is None or 0 < parsed.port <= PORT_MAX)
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise _unusable(variable, "no proxy address", host)
    return address


def _unusable(variable: str, what: str, host: str) -> BadVariableError:
    return BadVariableError(
        f"{variable} names {what}, but player can use HTTP proxies only, such as http://proxy.example.org:3128: change "
        f"or unset it, or exclude this server with NO_PROXY={host}."
    )


def _is_excluded(parts: SplitResult, no_proxy: str) -> bool:
    host, port = (parts.hostname or "").rstrip("."), parts.port or PORTS.get(parts.scheme, 0)
    return any(_excludes(entry.lower(), host, port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _excludes(entry: str, host: str, port: int) -> bool:
    """Return whether an entry such as `*`, `.example.org`, `[::1]:8080` or `10.0.0.0/8` matches this host and port."""
    if entry == "*":
        return True
    entry = (entry.partition("://")[2] or entry).rstrip("/")
    name, _, digits = entry.rpartition(":")
    return _matches(entry, host) or (digits == str(port) and _matches(name, host))


def _matches(name: str, host: str) -> bool:
    name = name.removeprefix("[").removesuffix("]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        domain = name.removeprefix("*").strip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False
