"""How sources are received: what is in arguments, which everybody can read, and what is not."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from chalicelib.domain.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.source_urls import check_source_url
from chalicelib.domain.streams import Stream
from worker.config import WorkerConfig
from worker.encoding.copying import keyframes_argv
from worker.ingest.pull_options import Pinned, Proxied
from worker.ingest.receivers import MUTE_S, Receiver, listening, pulling, reading
from worker.limits import bounded
from worker.python import python_argv
from worker.receiving.request import ReceiveRequest, Transport
from worker.redaction import redacted
from worker.source_info import SourceRefused

KEY = "a-key-of-24-characters-0"
SRT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_000)
RTMP = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
STREAM = Stream(stream_id="stream-1", title="t", ingest=SRT, ingest_key=KEY)
CONFIG = WorkerConfig(
    worker_id="w1",
    capacity=1,
    media_dir=Path("/media"),
    work_dir=Path("/scratch"),
    ffmpeg_environ={},
    listen_host="192.0.2.1",
    rtmp_url="rtmp://127.0.0.1:1935/live",
)
PROXIED = Proxied(proxy_url="http://127.0.0.1:8")


def request_of(receiver: Receiver) -> ReceiveRequest:
    return ReceiveRequest.decoded(receiver.script)


@pytest.mark.parametrize(
    ("receiver", "transport", "url", "options", "formats"),
    [
        (
            listening(SRT, STREAM, CONFIG),
            Transport.SRT_LISTENER,
            "",
            {"host": "192.0.2.1", "port": "9000", "passphrase": KEY, "pbkeylen": "16"},
            "",
        ),
        (
            listening(RTMP, STREAM, CONFIG),
            Transport.URL,
            f"rtmp://127.0.0.1:1935/live/stream-1?key={KEY}",
            {"protocol_whitelist": "rtmp,tcp", "rtmp_live": "live"},
            "flv",
        ),
        (
            pulling(
                check_source_url("srt://source.test:9000?passphrase=it's-a-secret"),
                Pinned(address=ip_address("192.0.2.7")),
                SRT,
            ),
            Transport.SRT_CALLER,
            "",
            {"host": "192.0.2.7", "port": "9000", "passphrase": "it's-a-secret"},
            "",
        ),
        (
            pulling(check_source_url("rtmps://source.test/app/s3cr3t-key"), PROXIED, SRT),
            Transport.URL,
            "rtmps://source.test:443/app/s3cr3t-key",
            {"protocol_whitelist": "rtmps,tls,tcp,httpproxy", "tls_verify": "1"},
            "flv",
        ),
    ],
)
def test_addresses_and_keys_go_by_the_standard_input(
    receiver: Receiver, transport: Transport, url: str, options: dict[str, str], formats: str
) -> None:
    request = request_of(receiver)
    assert (request.transport, request.url, request.formats) == (transport, url, formats)
    assert options.items() <= request.options.items()
    assert request.is_live and not request.is_looped and receiver.secrets
    assert receiver.argv == tuple(bounded(python_argv("worker.receiving")))
    script = receiver.script.decode()
    assert not [word for word in receiver.argv for secret in receiver.secrets if secret in word]
    assert not [secret for secret in receiver.secrets if secret in redacted(script, receiver.secrets)]
    # Nor is it in a log by accident.
    assert not [secret for secret in receiver.secrets if secret in repr(receiver)]
    assert not receiver.has_other_urls


def test_a_listener_ends_a_sender_that_sends_nothing() -> None:
    assert request_of(listening(SRT, STREAM, CONFIG)).mute_s == MUTE_S


@pytest.mark.parametrize("path", ["live.m3u8", "live.m3u8?x=1", "live?format=hls", "recorded.ts"])
def test_what_is_fetched_is_played_at_the_pace_of_the_clock(path: str) -> None:
    receiver = pulling(check_source_url(f"https://source.test/{path}"), PROXIED, SRT)
    request = request_of(receiver)
    assert not request.is_live and not request.is_looped
    # What may be secret in its query stays with the proxy.
    assert request.url == f"http://source.test:443/{path.partition('?')[0]}"
    assert receiver.has_other_urls


def test_a_file_is_looped_at_the_pace_of_the_clock_whatever_its_name() -> None:
    request = request_of(reading(Path("/media/a b;'é.mp4"), SRT))
    assert (request.transport, request.url) == (Transport.FILE, "file:/media/a b;'é.mp4")
    assert request.is_looped and not request.is_live and request.options == {}


def test_playlists_and_scripts_are_no_files_to_loop() -> None:
    formats = request_of(reading(Path("/media/a.mp4"), SRT)).formats.split(",")
    assert "mov" in formats and "matroska" in formats
    assert not {"hls", "concat", "applehttp", "dash", "lavfi", "image2", "sdp"} & set(formats)
    probed = keyframes_argv(Path("/media/a.mp4"), 60)
    assert probed[probed.index("-format_whitelist") + 1].split(",") == formats


def test_the_operators_choice_of_programme_and_sound_goes_with_every_request() -> None:
    ingest = replace(SRT, program=7, audio_track=2)
    url = check_source_url("https://source.test/live.ts")
    receivers = (listening(ingest, STREAM, CONFIG), reading(Path("/a.mp4"), ingest), pulling(url, PROXIED, ingest))
    for receiver in receivers:
        request = request_of(receiver)
        assert (request.program, request.audio_track) == (7, 2)


@pytest.mark.parametrize(
    ("ingest", "stream", "config", "said"),
    [
        (RTMP, STREAM, replace(CONFIG, rtmp_url=None), "TOLLCAST_RTMP_URL"),
        (SRT, replace(STREAM, ingest_key=""), CONFIG, "no key of at least 10 characters"),
        (SRT, replace(STREAM, ingest_key="short"), CONFIG, "no key of at least 10 characters"),
    ],
)
def test_what_cannot_be_listened_for_is_refused_with_the_reason(
    ingest: Ingest, stream: Stream, config: WorkerConfig, said: str
) -> None:
    with pytest.raises(SourceRefused, match=said):
        listening(ingest, stream, config)
