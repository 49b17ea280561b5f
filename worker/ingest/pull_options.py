"""Requests to receivers of untrusted sources: pure functions from a checked URL to a request.

What restricts FFmpeg, found by experiment:
- The options here reach what a playlist names (media playlists, segments, keys, init sections): the white lists and
  `http_proxy` do. `max_redirects`, `tls_verify` and `ca_file` do not: they hold for the first request only.
- So https is opened as http through `worker.ingest.egress`, which speaks TLS itself, verifies every host, and refuses
  redirects at every level. FFmpeg knows neither `https` nor `tls`: it can only ask the proxy.
- A CONNECT proxy is not safe for playlists: FFmpeg then needs `httpproxy` on its white list, and a playlist that names
  `httpproxy://127.0.0.1:80/x.ts` is opened past the proxy. It is safe for rtmps: `flv` names nothing further.
- A host in the environment's `no_proxy` is asked past the proxy. The receiver's environment must not have it.
- With `tcp` on the white list, which `http` needs, a playlist that names `tcp://10.0.0.1:80` as a media playlist is
  connected to past the proxy. So the proxy refuses playlists with any scheme but http and https.
- RFC 8216 has no rule about names of segments, and servers name them as they like: FFmpeg's own rules are off.
"""

import ssl
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from chalicelib.domain.streams.addresses import IpAddress
from chalicelib.domain.streams.source_urls import SourceUrl
from worker.receiving.request import FLV_FORMAT, ReceiveRequest, Transport

# HLS with the containers of its segments, or MPEG-TS alone. `mov` names no further files unless it is allowed to.
HTTP_FORMATS = "hls,mpegts,mov,aac,mp3"
ANY_NAMES = {"extension_picky": "0"}
# Longer than the proxy's own timeouts, so that its reason is known before FFmpeg gives up.
TIMEOUT_S = 12
SRT_NAMES = ("streamid", "latency", "passphrase", "pbkeylen")


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """The way through the egress proxy, for https and rtmps. `ca_file` None: the authorities of the system."""

    proxy_url: str
    ca_file: Path | None = None


def pull_request(source: SourceUrl, way: Proxied | IpAddress) -> ReceiveRequest:
    """Return the request for a source and the way to it: for srt, an address that was checked."""
    match source.scheme, way:
        case "https", Proxied():
            return _https(source, way)
        case "rtmps", Proxied():
            return _rtmps(source, way)
        case "srt", (IPv4Address() | IPv6Address()) as address:
            return _srt(source, address)
    raise ValueError(f"{source.scheme} does not go by {type(way).__name__}")


def _https(source: SourceUrl, way: Proxied) -> ReceiveRequest:
    """Return a paced request: a playlist is fetched ahead of the clock, and a server sends a recording at once."""
    options = {"protocol_whitelist": "http,tcp,crypto", "max_redirects": "0", **_proxy(way), **ANY_NAMES}
    url = "http" + source.without_query.removeprefix("https")
    return ReceiveRequest(transport=Transport.URL, url=url, options=options, formats=HTTP_FORMATS, is_live=False)


def _rtmps(source: SourceUrl, way: Proxied) -> ReceiveRequest:
    authorities = way.ca_file or ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    options = {"protocol_whitelist": "rtmps,tls,tcp,httpproxy", "tls_verify": "1", "ca_file": str(authorities)}
    return ReceiveRequest(
        transport=Transport.URL, url=source.url, options={**options, **_proxy(way)}, formats=FLV_FORMAT
    )


def _srt(source: SourceUrl, address: IpAddress) -> ReceiveRequest:
    options = {name: value for name, value in source.options if name in SRT_NAMES}
    place = {"host": str(address), "port": str(source.port)}
    return ReceiveRequest(transport=Transport.SRT_CALLER, options={**options, **place}, mute_s=TIMEOUT_S)


def _proxy(way: Proxied) -> dict[str, str]:
    return {"http_proxy": way.proxy_url, "rw_timeout": str(TIMEOUT_S * 1_000_000)}
