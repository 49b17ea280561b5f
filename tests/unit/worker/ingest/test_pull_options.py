"""The request to a receiver for each kind of source."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from chalicelib.domain.streams.source_urls import check_source_url
from worker.ingest.pull_options import Pinned, Proxied, pull_request
from worker.receiving.request import ReceiveRequest, Transport

PROXY = Proxied(proxy_url="http://127.0.0.1:9", ca_file=Path("/ca.pem"))
V4, V6 = Pinned(address=ip_address("8.8.8.8")), Pinned(address=ip_address("2606:4700::1111"))
BY_PROXY = {"http_proxy": "http://127.0.0.1:9", "rw_timeout": "12000000"}
TABLE = [
    (
        # What may be secret in its query stays with the proxy, which speaks TLS.
        "https://cdn.example/live.m3u8?token=1",
        PROXY,
        ReceiveRequest(
            transport=Transport.URL,
            url="http://cdn.example:443/live.m3u8",
            options={"protocol_whitelist": "http,tcp,crypto", "max_redirects": "0", "extension_picky": "0", **BY_PROXY},
            formats="hls,mpegts,mov,aac,mp3",
            is_live=False,
        ),
    ),
    (
        "rtmps://live.example:1936/app/key?auth=1",
        PROXY,
        ReceiveRequest(
            transport=Transport.URL,
            url="rtmps://live.example:1936/app/key?auth=1",
            options={
                "protocol_whitelist": "rtmps,tls,tcp,httpproxy",
                "tls_verify": "1",
                "ca_file": "/ca.pem",
                **BY_PROXY,
            },
            formats="flv",
        ),
    ),
    (
        "srt://live.example:9000?mode=caller&streamid=%2Di&passphrase=0123456789&latency=200000",
        V4,
        ReceiveRequest(
            transport=Transport.SRT_CALLER,
            options={
                "host": "8.8.8.8",
                "port": "9000",
                "streamid": "-i",
                "passphrase": "0123456789",
                "latency": "200000",
            },
            mute_s=12,
        ),
    ),
    (
        "srt://live.example:9000",
        V6,
        ReceiveRequest(transport=Transport.SRT_CALLER, options={"host": "2606:4700::1111", "port": "9000"}, mute_s=12),
    ),
]


@pytest.mark.parametrize(("url", "way", "request_"), TABLE)
def test_each_scheme_has_its_options(url: str, way: Proxied | Pinned, request_: ReceiveRequest) -> None:
    assert pull_request(check_source_url(url), way) == request_


@pytest.mark.parametrize("case", TABLE)
def test_a_request_is_the_same_at_the_other_end(case: tuple[str, Proxied | Pinned, ReceiveRequest]) -> None:
    assert ReceiveRequest.from_json(case[2].to_json()) == case[2]


def test_the_systems_authorities_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    asked = pull_request(check_source_url("rtmps://live.example/a/b"), Proxied(proxy_url="http://127.0.0.1:9"))
    assert (asked.options["ca_file"], asked.options["tls_verify"]) == (__file__, "1")


@pytest.mark.parametrize(
    ("url", "way"), [("https://cdn.example/", V4), ("rtmps://live.example/a/b", V4), ("srt://live.example:9000", PROXY)]
)
def test_no_scheme_goes_another_way(url: str, way: Proxied | Pinned) -> None:
    with pytest.raises(ValueError, match="does not go by"):
        pull_request(check_source_url(url), way)
