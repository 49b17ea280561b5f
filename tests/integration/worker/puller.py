"""Sources pulled by a real ffmpeg: as a worker does, and carelessly, to prove that an attack works without a guard."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from chalicelib.domain.streams.source_urls import SourceUrl, check_source_url
from tests.fixtures.authority import Authority
from worker.egress_rules import EgressRules
from worker.ingest.egress.proxy import Egress
from worker.ingest.hls.session import HlsSession
from worker.ingest.pull_options import HTTP_FORMATS, Proxied, pull_request
from worker.media.messages import Kind, MessageReader, decode_packet
from worker.processes.module_process import python_argv
from worker.receiving.request import ReceiveRequest, Transport

RUN_S_MAX = 30
OUTSIDE = (ip_network("127.0.0.2/32"),)
WIDE = (ip_network("127.0.0.0/8"),)
CARELESS = "http,https,tls,tcp,httpproxy,crypto,file,concat,data"


def rules(authority: Authority, *ports: int, networks=WIDE, lookup=None) -> EgressRules:
    """Return the rules that allow these ports, and trust the authority."""
    options = {"lookup": lookup} if lookup else {}
    return EgressRules(networks=networks, ports=frozenset(ports), ca_file=authority.ca_file, **options)


def here(_: str) -> list[str]:
    """Resolve each name to this machine."""
    return ["127.0.0.1"]


@dataclass(frozen=True)
class Pulled:
    """A result: ffmpeg's status and errors, the number of bytes of media, and the proxy's last refusal."""

    status: int
    said: str
    media_bytes: int
    refusal: str | None = None


@dataclass
class Puller:
    """A puller from the given ports. `names` are what names resolve to, answer by answer; the last one stays."""

    authority: Authority
    ports: frozenset[int]
    names: Mapping[str, Sequence[list[str]]]

    def pull(self, url: str, networks=OUTSIDE) -> Pulled:
        source = check_source_url(url, ports=self.ports, networks=networks)
        with self.egress(source, networks) as egress:
            way = Proxied(proxy_url=egress.url, ca_file=self.authority.ca_file)
            pulled = run(pull_request(source, way))
            return Pulled(pulled.status, pulled.said, pulled.media_bytes, egress.last_refusal)

    @contextmanager
    def egress(self, source: SourceUrl, networks=OUTSIDE, hls: HlsSession | None = None) -> Iterator[Egress]:
        allowed = rules(self.authority, *self.ports, networks=networks, lookup=self._lookup_once_each())
        egress = Egress(source, allowed, hls)
        egress.start()
        try:
            yield egress
        finally:
            egress.stop()

    def _lookup_once_each(self):
        left = {name: list(answers) for name, answers in self.names.items()}

        def lookup(host: str) -> list[str]:
            answers = left.get(host) or [[]]
            return answers.pop(0) if len(answers) > 1 else answers[0]

        return lookup


def run(request: ReceiveRequest, seconds: float = 2) -> Pulled:
    """Receive that much of a source, in the environment of a worker's receiver."""
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    argv = python_argv("worker.receiving")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, env=environ, **pipes) as process:
        overdue = threading.Timer(RUN_S_MAX, process.kill)
        overdue.start()
        process.stdin.write(request.to_json())
        process.stdin.close()
        media_bytes, has_enough = _media_bytes(process.stdout.fileno(), seconds)
        if has_enough:
            process.kill()
        said = process.stderr.read().decode(errors="replace")
        overdue.cancel()
    return Pulled(0 if has_enough else process.returncode, said, media_bytes)


def _media_bytes(descriptor: int, seconds: float) -> tuple[int, bool]:
    messages, count, first_us = MessageReader(), 0, None
    while data := os.read(descriptor, 65536):
        for kind, body, _ in messages.feed(data):
            if kind is Kind.PACKET:
                packet = decode_packet(body)
                first_us = packet.dts_us if first_us is None else first_us
                count += len(packet.data)
                if packet.dts_us - first_us >= seconds * 1_000_000:
                    return count, True
    return count, False


def _messages(request: ReceiveRequest) -> list[tuple[Kind, bytes]]:
    argv, options = python_argv("worker.receiving"), {"capture_output": True, "timeout": RUN_S_MAX}
    done = subprocess.run(argv, input=request.to_json(), **options)
    return [(kind, body) for kind, body, _ in MessageReader().feed(done.stdout)]


def described(request: ReceiveRequest) -> dict[str, Any]:
    """Return a receiver's description of a source's tracks."""
    return next(json.loads(body) for kind, body in _messages(request) if kind is Kind.TRACKS)


def seconds_of(request: ReceiveRequest) -> float:
    """Return how long a source lasts on the receiver's time line."""
    times = [decode_packet(body).dts_us for kind, body in _messages(request) if kind is Kind.PACKET]
    return max(times, default=0) / 1_000_000


def run_careless(url: str, **options: str) -> Pulled:
    """Pull with every protocol and no proxy."""
    wide = {"protocol_whitelist": CARELESS, "rw_timeout": "5000000", **options}
    formats = f"{HTTP_FORMATS},concat,flv"
    return run(ReceiveRequest(transport=Transport.URL, url=url, options=wide, formats=formats, is_live=False))


def make_media(directory: Path) -> None:
    """Make three seconds of HLS in every form: plain.m3u8, secret.m3u8 (AES-128) and fragments.m3u8 (fMP4)."""
    key = directory / "secret.key"
    key.write_bytes(bytes(range(16)))
    info = directory / "keyinfo"
    info.write_text(f"secret.key\n{key}\n")
    hls = ["-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"]
    encode = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine", "-t", "3"]
    encode += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac"]
    for argv in (
        [*encode, "whole.mp4"],
        ["-i", "whole.mp4", *hls, "plain.m3u8"],
        ["-i", "whole.mp4", *hls, "-hls_key_info_file", "keyinfo", "secret.m3u8"],
        ["-i", "whole.mp4", *hls, "-hls_segment_type", "fmp4", "fragments.m3u8"],
    ):
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *argv], cwd=directory, check=True, timeout=RUN_S_MAX)
