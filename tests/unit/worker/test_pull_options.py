"""The options that each kind of pulled source is opened with."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.source_urls import check_source_url
from worker.ingest.pull_options import Pinned, Proxied, pull_request
from worker.receiving.request import ReceiveRequest, Transport

PROXY = Proxied(proxy_url="http://127.0.0.1:9", ca_file=Path("/ca.pem"))
V4, V6 = Pinned(address=ip_address("8.8.8.8")), Pinned(address=ip_address("2606:4700::1111"))
TABLE = [
    (
        "https://cdn.example/live.m3u8?token=1",
        PROXY,
        {
            "transport": Transport.URL,
            # What may be secret in its query stays with the proxy.
            "url": "http://cdn.example:443/live.m3u8",
            "formats": "hls,mpegts,mov,aac,mp3",
            "is_live": False,
            "options": {
                "protocol_whitelist": "http,tcp,crypto",
                "max_redirects": "0",
                "http_proxy": "http://127.0.0.1:9",
                "rw_timeout": "12000000",
                "extension_picky": "0",
            },
        },
    ),
    (
        "rtmps://live.example:1936/app/key?auth=1",
        PROXY,
        {
            "transport": Transport.URL,
            "url": "rtmps://live.example:1936/app/key?auth=1",
            "formats": "flv",
            "options": {
                "protocol_whitelist": "rtmps,tls,tcp,httpproxy",
                "tls_verify": "1",
                "ca_file": "/ca.pem",
                "http_proxy": "http://127.0.0.1:9",
                "rw_timeout": "12000000",
            },
        },
    ),
    (
        "srt://live.example:9000?mode=caller&streamid=%2Di&passphrase=0123456789&latency=200000",
        V4,
        {
            "transport": Transport.SRT_CALLER,
            "mute_s": 12,
            "options": {
                "host": "8.8.8.8",
                "port": "9000",
                "streamid": "-i",
                "passphrase": "0123456789",
                "latency": "200000",
            },
        },
    ),
    (
        "srt://live.example:9000",
        V6,
        {
            "transport": Transport.SRT_CALLER,
            "mute_s": 12,
            "options": {"host": "2606:4700::1111", "port": "9000"},
        },
    ),
]


@pytest.mark.parametrize(("url", "way", "expected"), TABLE)
def test_each_scheme_has_its_options(url: str, way: Proxied | Pinned, expected: dict[str, Any]) -> None:
    request = pull_request(check_source_url(url), way)
    assert request == ReceiveRequest(**expected)
    assert ReceiveRequest.decoded(request.encoded()) == request


def test_the_systems_authorities_are_the_default() -> None:
    way = Proxied(proxy_url="http://127.0.0.1:9")
    options = pull_request(check_source_url("rtmps://live.example/a/b"), way).options
    assert options["tls_verify"] == "1" and Path(options["ca_file"]).is_file()


@pytest.mark.parametrize(
    ("url", "way"), [("https://cdn.example/", V4), ("rtmps://live.example/a/b", V4), ("srt://live.example:9000", PROXY)]
)
def test_no_scheme_goes_another_way(url: str, way: Proxied | Pinned) -> None:
    with pytest.raises(ValueError, match="does not go by"):
        pull_request(check_source_url(url), way)
