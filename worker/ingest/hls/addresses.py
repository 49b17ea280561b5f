"""Addresses in playlists: which may be passed on, and the one form in which they are compared."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from worker.ingest.errors import EgressRefused
from worker.ingest.hls.tags import tag_name, to_lines

# Tags whose addresses clients open.
OPENED = frozenset(
    {"#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-MEDIA", "#EXT-X-PART", "#EXT-X-PRELOAD-HINT", "#EXT-X-RENDITION-REPORT"}
)
_URI = re.compile(r'URI="?([^",]*)')
# What FFmpeg takes for a scheme, and more.
_SCHEME = re.compile(r"\s*([A-Za-z0-9+.,-]+:)")
_HTTP = re.compile(r"\s*https?://", re.IGNORECASE)


def check_addresses(body: bytes, place: str) -> None:
    """Raise `EgressRefused` if a playlist names anything that is not fetched by HTTP.

    FFmpeg must have `tcp` on its white list to reach the proxy. A playlist that names `tcp://10.0.0.1:80` as a media
    playlist or an init section would otherwise be connected past the proxy.
    """
    if b"\0" in body:
        raise EgressRefused(HTTPStatus.FORBIDDEN, f"a playlist of {place} has a zero byte")
    for address in _addresses(body):
        scheme = _SCHEME.match(address)
        if scheme and not _HTTP.match(address):
            reason = f"a playlist of {place} names an address that begins with {scheme[1][:20]!r}; allowed: https://"
            raise EgressRefused(HTTPStatus.FORBIDDEN, reason)


def absolute_url(base: str, uri: str) -> str:
    """Return the address that a client asks the proxy for, in the one form that the proxy compares."""
    try:
        parts = urlsplit(urljoin(base, uri))
        port = parts.port or 443
    except ValueError:
        return uri
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    query = f"?{parts.query}" if parts.query else ""
    return f"https://{host}:{port}{parts.path or '/'}{query}"


def place_of(url: str) -> str:
    """Return the host, with the port if it is not the usual one."""
    return urlsplit(url).netloc.removesuffix(":443")


def _addresses(body: bytes) -> Iterator[str]:
    for line in to_lines(body):
        if not line.startswith("#"):
            yield line
        elif tag_name(line) in OPENED:
            # FFmpeg reads a backslash in a quoted value as an escape.
            yield from _URI.findall(line.replace("\\", ""))
