"""Sources pulled by a real ffmpeg, as a worker does and, to see that an attack is one, as a careless one would."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from chalicelib.domain.source_urls import SourceUrl, check_source_url
from tests.fixtures.authority import Authority
from worker.ingest.egress import Egress
from worker.ingest.hls.session import HlsSession
from worker.ingest.outward import EgressRules
from worker.ingest.pull_argv import Pinned, Proxied, pull_input_argv

RUN_S_MAX = 30
OUTSIDE = (ip_network("127.0.0.2/32"),)
WIDE = (ip_network("127.0.0.0/8"),)
CARELESS = "http,https,tls,tcp,httpproxy,crypto,file,concat,data"


@dataclass(frozen=True)
class Pulled:
    """How it ended: ffmpeg's status and complaints, how many bytes of media came out, and what the proxy tells."""

    status: int
    said: str
    media_bytes: int
    received_bytes: int = 0
    refusal: str | None = None


@dataclass
class Puller:
    """Pulls from the ports given. `names` are what names resolve to: one answer after another, the last one stays."""

    authority: Authority
    ports: frozenset[int]
    names: Mapping[str, Sequence[list[str]]]

    def pull(self, url: str, networks=OUTSIDE) -> Pulled:
        """Through the proxy."""
        source = check_source_url(url, ports=self.ports, networks=networks)
        with self.egress(source, networks) as egress:
            way = Proxied(proxy_url=egress.url, ca_file=self.authority.ca_file)
            pulled = run(pull_input_argv(source, way))
            return Pulled(pulled.status, pulled.said, pulled.media_bytes, egress.bytes_received, egress.last_refusal)

    @contextmanager
    def egress(self, source: SourceUrl, networks=OUTSIDE, hls: HlsSession | None = None) -> Iterator[Egress]:
        """A proxy as long as it is needed."""
        rules = EgressRules(
            networks=networks, ports=self.ports, ca_file=self.authority.ca_file, lookup=self._lookup_once_each()
        )
        egress = Egress(source, rules, hls)
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


def run(input_argv: Sequence[str], seconds: float = 2) -> Pulled:
    """Copy that much of the input to MPEG-TS, in the environment that a worker gives ffmpeg."""
    argv = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "warning", *input_argv]
    argv += ["-t", str(seconds), "-c", "copy", "-f", "mpegts", "pipe:1"]
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, env=environ, timeout=RUN_S_MAX)
    return Pulled(done.returncode, done.stderr.decode(errors="replace"), len(done.stdout))


def run_careless(url: str, *options: str) -> Pulled:
    """With every protocol at hand and no proxy."""
    return run(["-protocol_whitelist", CARELESS, "-rw_timeout", "5000000", *options, "-i", url])


def pinned(source: SourceUrl, address) -> list[str]:
    """Input options for SRT."""
    return pull_input_argv(source, Pinned(address=address))


def make_media(directory: Path) -> None:
    """Three seconds of HLS in every form: plain.m3u8, secret.m3u8 (AES-128) and fragments.m3u8 (fMP4)."""
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
