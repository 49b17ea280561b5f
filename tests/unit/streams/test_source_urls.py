"""Hostile and good URLs and addresses, in every form that is known to have passed a check elsewhere."""

from ipaddress import ip_address, ip_network

import pytest

from chalicelib.domain.errors import SourceUrlRefused
from chalicelib.domain.streams.addresses import is_allowed_address
from chalicelib.domain.streams.source_urls import URL_CHARACTERS_MAX, check_source_url
from chalicelib.problems import problem_of

GOOD = [
    ("https://cdn.example.com/live/index.m3u8", "https://cdn.example.com:443/live/index.m3u8"),
    ("HTTPS://CDN.Example.com", "https://cdn.example.com:443/"),
    ("https://cdn.example.com:8443/a?token=x%20y&b=@", "https://cdn.example.com:8443/a?token=x%20y&b=@"),
    ("https://8.8.8.8/x.ts", "https://8.8.8.8:443/x.ts"),
    ("https://[2606:4700:0:0::1111]/x.ts", "https://[2606:4700::1111]:443/x.ts"),
    ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example:443/"),
    ("https://2130706433.example/", "https://2130706433.example:443/"),
    ("rtmps://live.example.com/app/key?auth=1", "rtmps://live.example.com:443/app/key?auth=1"),
    ("rtmps://live.example.com:1936/app/key", "rtmps://live.example.com:1936/app/key"),
    ("srt://live.example.com:9000", "srt://live.example.com:9000?"),
    (
        "srt://live.example.com:9000?mode=caller&latency=200000",
        "srt://live.example.com:9000?mode=caller&latency=200000",
    ),
]
HOSTILE = [
    ("", "character"),
    ("http://cdn.example.com/", "scheme"),
    ("rtmp://cdn.example.com/a/b", "scheme"),
    ("file:///etc/passwd", "scheme"),
    ("concat:https://a.example/1|https://a.example/2", "character"),
    ("httpproxy://127.0.0.1:80/x.ts", "scheme"),
    ("crypto+https://a.example/", "scheme"),
    ("gopher://a.example/", "scheme"),
    ("data:video/mp2t;base64,AAAA", "scheme"),
    ("//a.example/", "scheme"),
    ("https:/a.example/", "scheme"),
    ("https:a.example", "scheme"),
    ("-i", "scheme"),
    ("https://user@a.example/", "user name"),
    ("https://user:password@a.example/", "user name"),
    ("https://a.example@127.0.0.1/", "user name"),
    ("https://a.example#@127.0.0.1/", "fragment"),
    ("https://a.example/#", "fragment"),
    ("https://a.example/ b", "character"),
    (" https://a.example/", "character"),
    ("https://a.example/\r\nHost: b", "character"),
    ("https://a.exa\tmple/", "character"),
    ("https://a.example/\x00", "character"),
    ("https://a.example\\@127.0.0.1/", "character"),
    ("https://a。example/", "character"),
    ("https://１２７.0.0.1/", "character"),
    ("https://bücher.example/", "character"),
    ("https://a.example/" + "x" * URL_CHARACTERS_MAX, "characters"),
    ("https:///x", "host"),
    ("https://a..example/", "host"),
    ("https://a.example./", "host"),
    ("https://-a.example/", "host"),
    ("https://a_b.example/", "host"),
    ("https://%31%32%37.0.0.1/", "host"),
    ("https://127.0.0.1%00.example/", "host"),
    ("https://" + "a." * 130 + "example/", "host"),
    ("https://[::1/", "host"),
    ("https://[fe80::1%25eth0]/", "host"),
    ("https://[2606:4700::1111%25eth0]/", "host"),
    # IPv4 addresses in forms that some resolvers accept.
    ("https://2130706433/", "number"),
    ("https://0x7f000001/", "number"),
    ("https://017700000001/", "number"),
    ("https://0177.0.0.1/", "number"),
    ("https://0x7f.0.0.1/", "number"),
    ("https://127.0.0.0x1/", "number"),
    ("https://127.1/", "number"),
    ("https://127.0.1/", "number"),
    ("https://0/", "number"),
    ("https://127.0.0.256/", "number"),
    ("https://1.2.3.4.5/", "number"),
    # Not public.
    ("https://127.0.0.1/", "not public"),
    ("https://localhost/", "not public"),
    ("https://a.LOCALHOST/", "not public"),
    ("https://10.0.0.1/", "not public"),
    ("https://169.254.169.254/latest/meta-data/", "not public"),
    ("https://[::1]/", "not public"),
    ("https://[::ffff:127.0.0.1]/", "not public"),
    ("https://[::ffff:7f00:1]/", "not public"),
    ("https://[64:ff9b::7f00:1]/", "not public"),
    ("rtmps://192.168.1.1/a/b", "not public"),
    ("srt://100.64.0.1:9000", "not public"),
    # Ports.
    ("https://a.example:80/", "port"),
    ("https://a.example:22/", "port"),
    ("https://a.example:0/", "port"),
    ("https://a.example:65979/", "port"),
    ("https://a.example:/", "port"),
    ("https://a.example:+443/", "port"),
    ("https://a.example:4_43/", "port"),
    ("https://a.example:443:443/", "port"),
    ("rtmps://a.example:22/", "port"),
    ("srt://a.example:53", "port"),
    ("srt://a.example", "port"),
    # ffmpeg takes options from an SRT URL.
    ("srt://a.example:9000?mode=listener", "mode"),
    ("srt://a.example:9000?mode=rendezvous", "mode"),
    ("srt://a.example:9000?mode=caller&mode=listener", "twice|mode"),
    ("srt://a.example:9000?latency=1&latency=1", "twice"),
    ("srt://a.example:9000?localaddr=127.0.0.1", "localaddr"),
    ("srt://a.example:9000?smoother=file", "smoother"),
    ("srt://a.example:9000?passphrase=short", "passphrase"),
    ("srt://a.example:9000?pbkeylen=7", "pbkeylen"),
    ("srt://a.example:9000?latency=-1", "latency"),
    ("srt://a.example:9000?latency=10000000", "less than 10 s"),
    ("srt://a.example:9000?streamid=%0a", "streamid"),
    ("srt://a.example:9000?streamid", "options"),
    ("srt://a.example:9000/etc", "path"),
]
ALLOWED = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]
NOT_ALLOWED = [
    *("0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.0.0.9", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    *("64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::1", "3fff::1"),
    *("5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "ff02::1"),
]


@pytest.mark.parametrize(("text", "url"), GOOD)
def test_a_good_url_is_normalised(text: str, url: str) -> None:
    assert check_source_url(text).url == url


@pytest.mark.parametrize(("text", "what"), HOSTILE)
def test_a_hostile_url_is_refused_by_what_is_wrong(text: str, what: str) -> None:
    with pytest.raises(SourceUrlRefused, match=what) as refused:
        check_source_url(text)
    assert "allowed" in refused.value.detail or "neither" in refused.value.detail
    assert "password" not in refused.value.detail.replace("a password before", "")


def test_a_refusal_is_a_problem_of_the_request() -> None:
    with pytest.raises(SourceUrlRefused) as refused:
        check_source_url("https://127.0.0.1/")
    document = problem_of(refused.value)
    assert (document["status"], document["code"]) == (400, "source_refused")
    assert "127.0.0.1" in document["detail"] and "TOLLCAST_INGEST_NETWORKS" in document["detail"]


def test_what_the_configuration_opens_is_open_and_nothing_more() -> None:
    networks = (ip_network("10.20.0.0/16"), ip_network("fd12::/32"))
    assert check_source_url("https://10.20.0.1/", networks=networks).host == "10.20.0.1"
    assert check_source_url("srt://[fd12::1]:9000", networks=networks).url == "srt://[fd12::1]:9000?"
    for url in ("https://10.21.0.1/", "https://localhost/", "https://[::ffff:10.20.0.1]/", "https://169.254.169.254/"):
        with pytest.raises(SourceUrlRefused, match="not public"):
            check_source_url(url, networks=networks)
    ports = frozenset({9443, 500})
    assert check_source_url("https://a.example:9443/", ports=ports).port == 9443
    assert check_source_url("srt://a.example:500", ports=ports).port == 500
    with pytest.raises(SourceUrlRefused, match="443, 500, 8443, 9443"):
        check_source_url("https://a.example:9444/", ports=ports)


def test_srt_options_are_decoded_and_secrets_do_not_show() -> None:
    source = check_source_url("srt://a.example:9000?streamid=%23!::r=live,m=request&passphrase=0123456789&pbkeylen=32")
    assert source.options == (("streamid", "#!::r=live,m=request"), ("passphrase", "0123456789"), ("pbkeylen", "32"))
    assert "0123456789" not in repr(source)
    with pytest.raises(SourceUrlRefused) as refused:
        check_source_url("srt://a.example:9000?passphrase=secret")
    assert "secret" not in refused.value.detail


def test_the_host_may_be_an_address() -> None:
    assert check_source_url("https://a.example/").address is None
    assert check_source_url("srt://[2606:4700::1111]:9000").address == ip_address("2606:4700::1111")


@pytest.mark.parametrize("text", ALLOWED)
def test_public_addresses_are_allowed(text: str) -> None:
    assert is_allowed_address(ip_address(text))


@pytest.mark.parametrize("text", NOT_ALLOWED)
def test_other_addresses_are_not(text: str) -> None:
    assert not is_allowed_address(ip_address(text))
    if "%" not in text:
        assert is_allowed_address(ip_address(text), (ip_network(text),))
