"""How live sources are received: what stands in arguments that everybody can read, and what does not."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from chalicelib.domain.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.source_urls import check_source_url
from chalicelib.domain.streams import Stream
from worker.config import WorkerConfig
from worker.ingest.pull_argv import Pinned, Proxied
from worker.ingest.receivers import Receiver, listening, pulling
from worker.ingest.sources import SourceRefused
from worker.limits import bounded
from worker.redaction import redacted

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


def value(receiver: Receiver, option: str) -> str:
    return receiver.argv[receiver.argv.index(option) + 1]


@pytest.mark.parametrize(
    ("receiver", "lines", "protocols", "formats"),
    [
        (
            listening(SRT, STREAM, CONFIG),
            [
                "file 'srt://192.0.2.1:9000'",
                "option mode 'listener'",
                f"option passphrase '{KEY}'",
                "option pbkeylen '16'",
            ],
            "pipe,srt",
            "concat,mpegts",
        ),
        (
            listening(RTMP, STREAM, CONFIG),
            [f"file 'rtmp://127.0.0.1:1935/live/stream-1?key={KEY}'", "option rtmp_live 'live'"],
            "pipe,rtmp,tcp",
            "concat,flv",
        ),
        (
            pulling(
                check_source_url("srt://source.test:9000?passphrase=it's-a-secret"),
                Pinned(address=ip_address("192.0.2.7")),
            ),
            ["file 'srt://192.0.2.7:9000'", "option mode 'caller'", r"option passphrase 'it'\''s-a-secret'"],
            "pipe,srt",
            "concat,mpegts",
        ),
        (
            pulling(check_source_url("rtmps://source.test/app/s3cr3t-key"), PROXIED),
            ["file 'rtmps://source.test:443/app/s3cr3t-key'", "option tls_verify '1'"],
            "pipe,rtmps,tls,tcp,httpproxy",
            "concat,flv",
        ),
    ],
)
def test_addresses_and_keys_go_by_the_standard_input(
    receiver: Receiver, lines: list[str], protocols: str, formats: str
) -> None:
    script = receiver.script.decode().splitlines()
    assert script[0] == "ffconcat version 1.0" and set(lines) <= set(script)
    # The white lists hold once more for what the script names, without the script's own.
    assert f"option format_whitelist '{formats.removeprefix('concat,')}'" in script
    assert f"option protocol_whitelist '{protocols.removeprefix('pipe,')}'" in script
    assert (value(receiver, "-protocol_whitelist"), value(receiver, "-format_whitelist")) == (protocols, formats)
    assert value(receiver, "-i") == "pipe:0" and receiver.secrets
    assert not [word for word in receiver.argv for secret in receiver.secrets if secret in word]
    assert not [secret for secret in receiver.secrets if secret in redacted(str(script), receiver.secrets)]
    assert receiver.argv[: receiver.argv.index("ffmpeg")] == tuple(bounded([]))


@pytest.mark.parametrize("path", ["live.m3u8", "live.m3u8?x=1", "live?format=hls", "recorded.ts"])
def test_what_is_fetched_is_played_at_the_pace_of_the_clock(path: str) -> None:
    receiver = pulling(check_source_url(f"https://source.test/{path}"), PROXIED)
    assert "-re" in receiver.argv and receiver.script == b""
    # What may be secret in its query stays with the proxy.
    assert value(receiver, "-i") == f"http://source.test:443/{path.partition('?')[0]}"


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
