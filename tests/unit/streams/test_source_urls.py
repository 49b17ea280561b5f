"""Hostile and good URLs and addresses, in every form that is known to have passed a check elsewhere."""

from ipaddress import ip_address, ip_network

import pytest

from chalicelib.domain.errors import SourceUrlRefused
from chalicelib.domain.streams.addresses import is_allowed_address
from chalicelib.domain.streams.source_urls import URL_CHARACTERS_MAX, check_source_url
from chalicelib.problems import problem_of

CALLER = "srt://live.example.com:9000?mode=caller&latency=200000"
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
    (CALLER, CALLER),
]
# By what is wrong with them, in words without spaces.
HOSTILE = {
    "scheme": """
        http://cdn.example.com/ rtmp://cdn.example.com/a/b file:///etc/passwd httpproxy://127.0.0.1:80/x.ts
        crypto+https://a.example/ gopher://a.example/ data:video/mp2t;base64,AAAA //a.example/ https:/a.example/
        https:a.example -i""",
    "user name": "https://user@a.example/ https://user:password@a.example/ https://a.example@127.0.0.1/",
    "fragment": "https://a.example#@127.0.0.1/ https://a.example/#",
    "character": """
        concat:https://a.example/1|https://a.example/2 https://a.example\\@127.0.0.1/ https://a。example/
        https://１２７.0.0.1/ https://bücher.example/""",
    "host": f"""
        https:///x https://a..example/ https://a.example./ https://-a.example/ https://a_b.example/
        https://%31%32%37.0.0.1/ https://127.0.0.1%00.example/ https://{"a." * 130}example/ https://[::1/
        https://[fe80::1%25eth0]/ https://[2606:4700::1111%25eth0]/""",
    # IPv4 addresses in forms that some resolvers accept.
    "number": """
        https://2130706433/ https://0x7f000001/ https://017700000001/ https://0177.0.0.1/ https://0x7f.0.0.1/
        https://127.0.0.0x1/ https://127.1/ https://127.0.1/ https://0/ https://127.0.0.256/ https://1.2.3.4.5/""",
    "not public": """
        https://127.0.0.1/ https://localhost/ https://a.LOCALHOST/ https://10.0.0.1/
        https://169.254.169.254/latest/meta-data/ https://[::1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/
        https://[64:ff9b::7f00:1]/ rtmps://192.168.1.1/a/b srt://100.64.0.1:9000""",
    "port": """
        https://a.example:80/ https://a.example:22/ https://a.example:0/ https://a.example:65979/ https://a.example:/
        https://a.example:+443/ https://a.example:4_43/ https://a.example:443:443/ rtmps://a.example:22/
        srt://a.example:53 srt://a.example""",
    "path": "srt://a.example:9000/etc",
}
# ffmpeg takes options from an SRT URL.
SRT_OPTIONS = [
    *(("mode", "mode=listener"), ("mode", "mode=rendezvous"), ("twice|mode", "mode=caller&mode=listener")),
    *(("twice", "latency=1&latency=1"), ("localaddr", "localaddr=127.0.0.1"), ("smoother", "smoother=file")),
    *(("passphrase", "passphrase=short"), ("pbkeylen", "pbkeylen=7"), ("latency", "latency=-1")),
    *(("less than 10 s", "latency=10000000"), ("streamid", "streamid=%0a"), ("options", "streamid")),
]
ODD = ["", "https://a.example/ b", " https://a.example/", "https://a.example/\r\nHost: b", "https://a.exa\tmple/"]
ODD += ["https://a.example/\x00", "https://a.example/" + "x" * URL_CHARACTERS_MAX]
ALLOWED = ("8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808")
NOT_ALLOWED = """
    0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 100.127.255.254 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
    172.31.255.254 192.168.0.1 192.0.0.9 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.254 198.51.100.1
    203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 168.63.129.16
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::7f00:1 100::1
    2001::1 2001:0:7f00:1:: 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0
    2606:4700::1111%eth0 fec0::1 ff02::1
"""


@pytest.mark.parametrize(("text", "url"), GOOD)
def test_a_good_url_is_normalised(text, url):
    assert check_source_url(text).url == url


REFUSED = [(text, what) for what, texts in HOSTILE.items() for text in texts.split()]
REFUSED += [(f"srt://a.example:9000?{options}", what) for what, options in SRT_OPTIONS]


@pytest.mark.parametrize(("text", "what"), REFUSED + [(text, "character") for text in ODD])
def test_a_hostile_url_is_refused_by_what_is_wrong(text, what):
    with pytest.raises(SourceUrlRefused, match=what) as refused:
        check_source_url(text)
    assert "allowed" in refused.value.detail or "neither" in refused.value.detail
    assert "password" not in refused.value.detail.replace("a password before", "")


def test_a_refusal_is_a_problem_of_the_request():
    with pytest.raises(SourceUrlRefused) as refused:
        check_source_url("https://127.0.0.1/")
    document = problem_of(refused.value)
    assert (document["status"], document["code"]) == (400, "source_refused")
    assert "127.0.0.1" in document["detail"] and "TOLLCAST_INGEST_NETWORKS" in document["detail"]


def test_what_the_configuration_opens_is_open_and_nothing_more():
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


def test_srt_options_are_decoded_and_secrets_do_not_show():
    source = check_source_url("srt://a.example:9000?streamid=%23!::r=live,m=request&passphrase=0123456789&pbkeylen=32")
    assert source.options == (("streamid", "#!::r=live,m=request"), ("passphrase", "0123456789"), ("pbkeylen", "32"))
    assert "0123456789" not in repr(source)
    with pytest.raises(SourceUrlRefused) as refused:
        check_source_url("srt://a.example:9000?passphrase=secret")
    assert "secret" not in refused.value.detail and check_source_url("https://a.example/").address is None
    assert check_source_url("srt://[2606:4700::1111]:9000").address == ip_address("2606:4700::1111")


def test_public_addresses_are_allowed_and_others_are_not():
    for address in map(ip_address, ALLOWED):
        assert is_allowed_address(address), address
    for text in NOT_ALLOWED.split():
        assert not is_allowed_address(ip_address(text)), text
        assert "%" in text or is_allowed_address(ip_address(text), (ip_network(text),)), text
