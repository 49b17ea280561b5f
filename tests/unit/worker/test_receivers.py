"""How sources are received: nothing that is secret is an argument, which everybody on the machine can read."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from chalicelib.domain.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.source_urls import check_source_url
from chalicelib.domain.streams import Stream
from worker.config import WorkerConfig
from worker.ingest.pull_options import Pinned, Proxied
from worker.ingest.receivers import MUTE_S, Receiver, listening, pulling, reading
from worker.limits import bounded
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


PULL = Ingest(mode=IngestMode.PULL, url="https://source.test/")


def asked(receiver: Receiver) -> ReceiveRequest:
    return ReceiveRequest.decoded(receiver.script)


@pytest.mark.parametrize(
    ("receiver", "expected"),
    [
        (
            listening(SRT, STREAM, CONFIG),
            ReceiveRequest(
                transport=Transport.SRT_LISTENER,
                options={"host": "192.0.2.1", "port": "9000", "passphrase": KEY, "pbkeylen": "16"},
                mute_s=MUTE_S,
            ),
        ),
        (
            listening(RTMP, STREAM, CONFIG),
            ReceiveRequest(
                transport=Transport.URL,
                url=f"rtmp://127.0.0.1:1935/live/stream-1?key={KEY}",
                options={"protocol_whitelist": "rtmp,tcp", "rtmp_live": "live"},
                formats="flv",
            ),
        ),
    ],
)
def test_addresses_and_keys_go_by_the_standard_input(receiver: Receiver, expected: ReceiveRequest) -> None:
    assert asked(receiver) == expected and receiver.secrets == (KEY,) and receiver.ahead_us == 0
    assert not [word for word in receiver.argv if KEY in word]
    assert KEY not in redacted(receiver.script.decode(), receiver.secrets)
    assert receiver.argv[: len(bounded([]))] == tuple(bounded([]))


@pytest.mark.parametrize(
    "url", ["srt://source.test:9000?passphrase=it's-a-secret", "rtmps://source.test/app/s3cr3t-key"]
)
def test_secrets_of_pulled_sources_are_known_as_such(url: str) -> None:
    source = check_source_url(url)
    way = PROXIED if source.scheme == "rtmps" else Pinned(address=ip_address("192.0.2.7"))
    receiver = pulling(source, way, PULL)
    (secret,) = receiver.secrets
    assert secret in receiver.script.decode() and secret not in redacted(receiver.script.decode(), receiver.secrets)
    assert not [word for word in receiver.argv if secret in word]


@pytest.mark.parametrize("path", ["live.m3u8", "live.m3u8?x=1", "live?format=hls", "recorded.ts"])
def test_what_is_fetched_is_played_at_the_pace_of_the_clock(path: str) -> None:
    receiver = pulling(check_source_url(f"https://source.test/{path}"), PROXIED, PULL)
    assert not asked(receiver).is_live and receiver.ahead_us > 0 and receiver.has_other_urls
    # What may be secret in its query stays with the proxy.
    assert asked(receiver).url == f"http://source.test:443/{path.partition('?')[0]}"


def test_files_are_looped_at_the_pace_of_the_clock() -> None:
    request = asked(reading(Path("/media/Film (2004).mp4"), Ingest(mode=IngestMode.FILE, path="Film (2004).mp4")))
    assert (request.url, request.is_looped, request.is_live) == ("file:/media/Film (2004).mp4", True, False)


def test_the_choice_of_tracks_goes_with_it() -> None:
    request = asked(listening(replace(SRT, program=3, audio_track=2), STREAM, CONFIG))
    assert (request.program, request.audio_track) == (3, 2)


@pytest.mark.parametrize(
    ("ingest", "stream", "config", "said"),
    [
        (RTMP, STREAM, replace(CONFIG, rtmp_url=None), "TOLLCAST_RTMP_URL"),
        (SRT, replace(STREAM, ingest_key=""), CONFIG, "no key of at least 10 characters"),
        (SRT, replace(STREAM, ingest_key="short"), CONFIG, "no key of at least 10 characters"),
    ],
)
def test_what_cannot_be_listened_for_is_told(ingest: Ingest, stream: Stream, config: WorkerConfig, said: str) -> None:
    with pytest.raises(SourceRefused, match=said):
        listening(ingest, stream, config)
