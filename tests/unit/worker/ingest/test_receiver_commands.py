"""Commands of receivers: what is in arguments that everybody can read, and what is not."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.source_urls import check_source_url
from chalicelib.domain.streams.stream import Stream
from tests.fixtures.settings import worker_config
from worker.config import WorkerConfig
from worker.encoding.source_info import SourceRefused
from worker.ingest.pull_options import Pinned, Proxied
from worker.ingest.receiver_commands import MUTE_S, ReceiverCommand, file_command, listen_command, pull_command
from worker.processes.limits import limit_argv
from worker.processes.module_process import python_argv
from worker.processes.redaction import redact
from worker.receiving.pacing import BURST_US
from worker.receiving.request import ReceiveRequest, Transport

KEY = "a-key-of-24-characters-0"
SRT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_000)
RTMP = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
STREAM = Stream(stream_id="stream-1", title="t", ingest=SRT, ingest_key=KEY)
CONFIG = worker_config(listen_host="192.0.2.1", rtmp_url="rtmp://127.0.0.1:1935/live")
PROXIED = Proxied(proxy_url="http://127.0.0.1:8")
PULLED = Ingest(mode=IngestMode.PULL, url="https://source.test/live.m3u8", program=2, audio_track=3)


@pytest.mark.parametrize(
    ("receiver", "options", "request_"),
    [
        (
            listen_command(SRT, STREAM, CONFIG),
            {"host": "192.0.2.1", "port": "9000", "passphrase": KEY, "pbkeylen": "16"},
            ReceiveRequest(transport=Transport.SRT_LISTENER, mute_s=MUTE_S),
        ),
        (
            listen_command(RTMP, STREAM, CONFIG),
            {"protocol_whitelist": "rtmp,tcp", "rtmp_live": "live"},
            ReceiveRequest(
                transport=Transport.URL, url=f"rtmp://127.0.0.1:1935/live/stream-1?key={KEY}", formats="flv"
            ),
        ),
        (
            pull_command(
                check_source_url("srt://source.test:9000?passphrase=it's-a-secret&streamid=s3cr3t-name"),
                Pinned(address=ip_address("192.0.2.7")),
                PULLED,
            ),
            {"host": "192.0.2.7", "port": "9000", "passphrase": "it's-a-secret", "streamid": "s3cr3t-name"},
            ReceiveRequest(transport=Transport.SRT_CALLER, mute_s=12, program=2, audio_track=3),
        ),
        (
            pull_command(check_source_url("rtmps://source.test/app/s3cr3t-key"), PROXIED, PULLED),
            {"protocol_whitelist": "rtmps,tls,tcp,httpproxy", "tls_verify": "1"},
            ReceiveRequest(
                transport=Transport.URL,
                url="rtmps://source.test:443/app/s3cr3t-key",
                formats="flv",
                program=2,
                audio_track=3,
            ),
        ),
    ],
)
def test_addresses_and_keys_go_by_the_standard_input(
    receiver: ReceiverCommand, options: dict[str, str], request_: ReceiveRequest
) -> None:
    asked = ReceiveRequest.from_json(receiver.script)
    assert options.items() <= asked.options.items() and replace(asked, options={}) == request_
    script = receiver.script.decode()
    assert receiver.secrets and not [secret for secret in receiver.secrets if secret not in script]
    assert not [word for word in receiver.argv for secret in receiver.secrets if secret in word]
    assert not [secret for secret in receiver.secrets if secret in redact(script, receiver.secrets)]
    assert not [secret for secret in receiver.secrets if secret in repr(receiver)]
    assert receiver.argv == tuple(limit_argv(python_argv("worker.receiving")))
    assert not receiver.has_other_urls and receiver.ahead_us == 0


@pytest.mark.parametrize("path", ["live.m3u8", "live.m3u8?x=1", "live?format=hls", "recorded.ts"])
def test_what_is_fetched_is_played_at_the_pace_of_the_clock(path: str) -> None:
    receiver = pull_command(check_source_url(f"https://source.test/{path}"), PROXIED, PULLED)
    asked = ReceiveRequest.from_json(receiver.script)
    assert not asked.is_live and not asked.is_looped and receiver.ahead_us > BURST_US
    # What may be secret in its query stays with the proxy.
    assert asked.url == f"http://source.test:443/{path.partition('?')[0]}" and receiver.has_other_urls
    assert (asked.program, asked.audio_track) == (2, 3)


def test_a_file_is_looped_at_the_pace_of_the_clock() -> None:
    receiver = file_command(Path("/media/a b.mp4"), Ingest(mode=IngestMode.FILE, path="a b.mp4", audio_track=2))
    asked = ReceiveRequest.from_json(receiver.script)
    assert (asked.transport, asked.url, asked.audio_track) == (Transport.FILE, "file:/media/a b.mp4", 2)
    assert asked.is_looped and not asked.is_live and receiver.ahead_us > BURST_US
    # Nothing that names further files.
    assert not {"hls", "concat", "dash", "image2"} & set(asked.formats.split(","))


@pytest.mark.parametrize(
    ("ingest", "stream", "config", "said"),
    [
        (RTMP, STREAM, replace(CONFIG, rtmp_url=None), "TOLLCAST_RTMP_URL"),
        (SRT, replace(STREAM, ingest_key=""), CONFIG, "no key of at least 10 characters"),
        (SRT, replace(STREAM, ingest_key="short"), CONFIG, "no key of at least 10 characters"),
    ],
)
def test_what_cannot_be_listened_for_is_reported(
    ingest: Ingest, stream: Stream, config: WorkerConfig, said: str
) -> None:
    with pytest.raises(SourceRefused, match=said):
        listen_command(ingest, stream, config)
