"""How ffmpeg and ffprobe are told to open an untrusted source: pure functions to input options.

What holds ffmpeg 5.1 back, found by experiment:
- The options here reach what a playlist names (media playlists, segments, keys, init sections): the white lists and
  `-http_proxy` do. `-max_redirects`, `-tls_verify` and `-ca_file` do not: they hold for the first request only.
- So https is opened as http through `worker.ingest.egress`, which speaks TLS itself, verifies every host, and refuses
  redirects at every level. ffmpeg knows neither `https` nor `tls`; all that is left to it is to ask the proxy.
- A proxy of the CONNECT kind does not do for playlists: ffmpeg then needs `httpproxy` on its white list, and a playlist
  that names `httpproxy://127.0.0.1:80/x.ts` is opened past the proxy. For rtmps it does: `flv` names nothing further.
- A host in the environment's `no_proxy` is asked past the proxy. ffmpeg's environment must not have it.
"""

from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.addresses import IpAddress
from chalicelib.domain.source_urls import SourceUrl

# HLS with the containers of its segments, or MPEG-TS alone. `mov` names no further files unless told to.
HTTP_FORMATS = "hls,mpegts,mov,aac,mp3"
# Above the proxy's own bounds, so that its reason is known before ffmpeg gives up.
TIMEOUT_US = 12_000_000
SRT_CONNECT_TIMEOUT_MS = 4_000
# ffmpeg itself has a `-streamid` of another meaning. The mode is always the caller's.
SRT_NAMES = {"streamid": "-srt_streamid"} | {name: f"-{name}" for name in ("latency", "passphrase", "pbkeylen")}


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """By way of a proxy of `ingest/egress.py`, for https and rtmps. `ca_file` None: the authorities of the system."""

    proxy_url: str
    ca_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """Straight to an address that `worker.ingest.resolving` has checked, for srt."""

    address: IpAddress


def pull_input_argv(source: SourceUrl, way: Proxied | Pinned) -> list[str]:
    """Options of an input, `-i` and its URL included."""
    match source.scheme, way:
        case "https", Proxied():
            return _https(source, way)
        case "rtmps", Proxied():
            return _rtmps(source, way)
        case "srt", Pinned():
            return _srt(source, way.address)
    raise ValueError(f"{source.scheme} does not go by {type(way).__name__}")


def _https(source: SourceUrl, way: Proxied) -> list[str]:
    """Without the query, which the proxy puts back: everybody on the machine can read these."""
    return [
        *("-protocol_whitelist", "http,tcp,crypto", "-format_whitelist", HTTP_FORMATS),
        *("-http_proxy", way.proxy_url, "-max_redirects", "0", "-rw_timeout", str(TIMEOUT_US)),
        *("-i", "http" + source.without_query.removeprefix("https")),
    ]


def _rtmps(source: SourceUrl, way: Proxied) -> list[str]:
    authorities = ("-ca_file", str(way.ca_file)) if way.ca_file else ()
    return [
        *("-protocol_whitelist", "rtmps,tls,tcp,httpproxy", "-format_whitelist", "flv", "-f", "flv"),
        *("-http_proxy", way.proxy_url, "-tls_verify", "1", *authorities, "-rw_timeout", str(TIMEOUT_US)),
        *("-i", source.url),
    ]


def _srt(source: SourceUrl, address: IpAddress) -> list[str]:
    """Options go beside the URL, where nothing in a value can become another option."""
    options = [part for name, value in source.options if name in SRT_NAMES for part in (SRT_NAMES[name], value)]
    host = f"[{address}]" if address.version == 6 else str(address)
    return [
        *("-protocol_whitelist", "srt", "-format_whitelist", "mpegts", "-f", "mpegts"),
        *("-mode", "caller", "-connect_timeout", str(SRT_CONNECT_TIMEOUT_MS), "-timeout", str(TIMEOUT_US), *options),
        *("-i", f"srt://{host}:{source.port}"),
    ]
