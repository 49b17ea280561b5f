"""What receivers are asked for each kind of source, and what everybody can read in their arguments."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.streams.addresses import IpAddress
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.source_urls import check_source_url
from tests.unit.worker import parts
from tests.unit.worker.parts import LISTENING, RTMP, SRT
from worker.encoding.source_info import SourceRefused
from worker.ingest.pull_options import Proxied, pull_request
from worker.ingest.receiver_commands import MUTE_S, file_command, listen_command, pull_command
from worker.processes.limits import limit_argv
from worker.processes.module_process import python_argv
from worker.processes.redaction import redact
from worker.receiving.pacing import BURST_US
from worker.receiving.request import ReceiveRequest, Transport

KEY = LISTENING.ingest_key
CONFIG = replace(parts.CONFIG, listen_host="192.0.2.1", rtmp_url="rtmp://127.0.0.1:1935/live")
PROXIED = Proxied(proxy_url="http://127.0.0.1:9", ca_file=Path("/ca.pem"))
V4, V6 = ip_address("8.8.8.8"), ip_address("2606:4700::1111")
PULLED = Ingest(mode=IngestMode.PULL, url="https://source.test/live.m3u8", program=2, audio_track=3)

BY_PROXY = {"http_proxy": "http://127.0.0.1:9", "rw_timeout": "12000000"}
BY_HTTP = {"protocol_whitelist": "http,tcp,crypto", "max_redirects": "0", "extension_picky": "0", **BY_PROXY}
BY_TLS = {"protocol_whitelist": "rtmps,tls,tcp,httpproxy", "tls_verify": "1", "ca_file": "/ca.pem", **BY_PROXY}
SECRET = {"streamid": "-secret-name", "passphrase": "it's-a-secret", "latency": "200000"}
SECRET_SRT = "srt://live.example:9000?mode=caller&streamid=%2Dsecret-name&passphrase=it's-a-secret&latency=200000"
RTMPS = "rtmps://live.example:1936/app/key?auth=1"
# What may be secret in its query stays with the proxy, which speaks TLS.
FETCHED = {"url": "http://cdn.example:443/live.m3u8", "formats": "hls,mpegts,mov,aac,mp3", "is_live": False}
CALLER = {"transport": Transport.SRT_CALLER, "mute_s": 12}
PULLS: list[tuple[str, Proxied | IpAddress, dict[str, str], dict[str, Any]]] = [
    ("https://cdn.example/live.m3u8?token=1", PROXIED, BY_HTTP, FETCHED),
    (RTMPS, PROXIED, BY_TLS, {"url": RTMPS, "formats": "flv"}),
    (SECRET_SRT, V4, {"host": "8.8.8.8", "port": "9000", **SECRET}, CALLER),
    ("srt://live.example:9000", V6, {"host": "2606:4700::1111", "port": "9000"}, CALLER),
]


@pytest.mark.parametrize(("url", "way", "options", "request_"), PULLS)
def test_each_scheme_has_its_options_and_goes_one_way(url, way, options, request_) -> None:
    source = check_source_url(url)
    expected = ReceiveRequest(**{"transport": Transport.URL, **request_}, options=options)
    assert pull_request(source, way) == ReceiveRequest.from_json(expected.to_json()) == expected
    with pytest.raises(ValueError, match="does not go by"):
        pull_request(source, V4 if way is PROXIED else PROXIED)
    # The command asks for the same, and for the chosen tracks.
    asked = ReceiveRequest.from_json(pull_command(source, way, PULLED).script)
    assert asked == replace(expected, program=2, audio_track=3)


def test_the_systems_authorities_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    asked = pull_request(check_source_url("rtmps://live.example/a/b"), Proxied(proxy_url="http://127.0.0.1:9"))
    assert (asked.options["ca_file"], asked.options["tls_verify"]) == (__file__, "1")


SRT_OPTIONS = {"host": "192.0.2.1", "port": "9000", "passphrase": KEY, "pbkeylen": "16"}
RTMP_OPTIONS = {"protocol_whitelist": "rtmp,tcp", "rtmp_live": "live"}
BY_INGEST = {"url": f"{CONFIG.rtmp_url}/stream-1?key={KEY}", "formats": "flv"}
LISTENED = [
    (SRT, SRT_OPTIONS, ReceiveRequest(transport=Transport.SRT_LISTENER, mute_s=MUTE_S)),
    (RTMP, RTMP_OPTIONS, ReceiveRequest(transport=Transport.URL, **BY_INGEST)),
]


@pytest.mark.parametrize(("ingest", "options", "request_"), LISTENED)
def test_what_is_listened_for(ingest: Ingest, options: dict[str, str], request_: ReceiveRequest) -> None:
    asked = ReceiveRequest.from_json(listen_command(ingest, LISTENING, CONFIG).script)
    assert options.items() <= asked.options.items() and replace(asked, options={}) == request_


LISTENERS = [listen_command(each, LISTENING, CONFIG) for each in (SRT, RTMP)]
PULLERS = [pull_command(check_source_url(url), way, PULLED) for url, way, _, _ in PULLS[1:3]]


@pytest.mark.parametrize("receiver", [*LISTENERS, *PULLERS])
def test_addresses_and_keys_go_by_the_standard_input(receiver) -> None:
    script = receiver.script.decode()
    assert receiver.secrets and not [secret for secret in receiver.secrets if secret not in script]
    seen = (*receiver.argv, redact(script, receiver.secrets), repr(receiver))
    assert not [text for text in seen for secret in receiver.secrets if secret in text]
    assert receiver.argv == tuple(limit_argv(python_argv("worker.receiving")))
    assert not receiver.has_other_urls and receiver.ahead_us == 0


@pytest.mark.parametrize("path", ["live.m3u8", "live.m3u8?x=1", "live?format=hls", "recorded.ts"])
def test_what_is_fetched_is_played_at_the_pace_of_the_clock(path: str) -> None:
    receiver = pull_command(check_source_url(f"https://source.test/{path}"), PROXIED, PULLED)
    asked = ReceiveRequest.from_json(receiver.script)
    assert not asked.is_live and not asked.is_looped and receiver.ahead_us > BURST_US
    # What may be secret in its query stays with the proxy.
    assert asked.url == f"http://source.test:443/{path.partition('?')[0]}" and receiver.has_other_urls
    # A file is looped, too.
    receiver = file_command(Path("/media/a b.mp4"), Ingest(mode=IngestMode.FILE, path="a b.mp4", audio_track=2))
    asked = ReceiveRequest.from_json(receiver.script)
    assert (asked.transport, asked.url, asked.audio_track) == (Transport.FILE, "file:/media/a b.mp4", 2)
    assert asked.is_looped and not asked.is_live and receiver.ahead_us > BURST_US
    # Nothing that names further files.
    assert not {"hls", "concat", "dash", "image2"} & set(asked.formats.split(","))


def test_what_cannot_be_listened_for_is_reported() -> None:
    with pytest.raises(SourceRefused, match="TOLLCAST_RTMP_URL"):
        listen_command(RTMP, LISTENING, replace(CONFIG, rtmp_url=None))
    for key in ("", "short"):
        with pytest.raises(SourceRefused, match="no key of at least 10 characters"):
            listen_command(SRT, replace(LISTENING, ingest_key=key), CONFIG)
