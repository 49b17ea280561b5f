"""What ffmpeg is told for each kind of source."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from chalicelib.domain.source_urls import check_source_url
from worker.ingest.pull_argv import Pinned, Proxied, pull_input_argv

PROXY = Proxied(proxy_url="http://127.0.0.1:9", ca_file=Path("/ca.pem"))
V4, V6 = Pinned(address=ip_address("8.8.8.8")), Pinned(address=ip_address("2606:4700::1111"))
TABLE = [
    (
        "https://cdn.example/live.m3u8?token=1",
        PROXY,
        "-protocol_whitelist http,tcp,crypto -format_whitelist hls,mpegts,mov,aac,mp3"
        " -http_proxy http://127.0.0.1:9 -max_redirects 0 -rw_timeout 12000000"
        " -i http://cdn.example:443/live.m3u8",
    ),
    (
        "rtmps://live.example:1936/app/key?auth=1",
        PROXY,
        "-protocol_whitelist rtmps,tls,tcp,httpproxy -format_whitelist flv -f flv"
        " -http_proxy http://127.0.0.1:9 -tls_verify 1 -ca_file /ca.pem -rw_timeout 12000000"
        " -i rtmps://live.example:1936/app/key?auth=1",
    ),
    (
        "srt://live.example:9000?mode=caller&streamid=%2Di&passphrase=0123456789&latency=200000",
        V4,
        "-protocol_whitelist srt -format_whitelist mpegts -f mpegts -mode caller -connect_timeout 4000"
        " -timeout 12000000 -srt_streamid -i -passphrase 0123456789 -latency 200000 -i srt://8.8.8.8:9000",
    ),
    (
        "srt://live.example:9000",
        V6,
        "-protocol_whitelist srt -format_whitelist mpegts -f mpegts -mode caller -connect_timeout 4000"
        " -timeout 12000000 -i srt://[2606:4700::1111]:9000",
    ),
]


@pytest.mark.parametrize(("url", "way", "argv"), TABLE)
def test_each_scheme_has_its_options(url: str, way: Proxied | Pinned, argv: str) -> None:
    assert pull_input_argv(check_source_url(url), way) == argv.split(" ")


def test_the_systems_authorities_are_the_default() -> None:
    argv = pull_input_argv(check_source_url("rtmps://live.example/a/b"), Proxied(proxy_url="http://127.0.0.1:9"))
    assert "-ca_file" not in argv and argv[argv.index("-tls_verify") + 1] == "1"


@pytest.mark.parametrize(
    ("url", "way"), [("https://cdn.example/", V4), ("rtmps://live.example/a/b", V4), ("srt://live.example:9000", PROXY)]
)
def test_no_scheme_goes_another_way(url: str, way: Proxied | Pinned) -> None:
    with pytest.raises(ValueError, match="does not go by"):
        pull_input_argv(check_source_url(url), way)
