"""Measure what media authorization costs at the gateway: `python -m bench.gateway_auth [--rounds 5] [--seconds 5]`.

The product's nginx configuration, on a local platform with a live stream, is compared with changed ones:

    unheld       decisions and denylist, but no count of what a session has fetched
    none         no authorization: no decision, no denylist
    uncached     a request for the decision with each request for media
    secure_link  nginx's module instead: an expiry and an MD5 of session and secret, which cannot be revoked

All five run at the same time and are measured by wrk one after another, in each round in another order. The output is
the median of the requests per second, and per second of nginx's processor time. The limit of segments per viewer is
removed from all of them. Then one real player watches, and nginx's requests for decisions are counted.
"""

import base64
import hashlib
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from bench.cpu import cpu_s
from chalicelib import config
from chalicelib.adapters import aws
from gateway.nginx.config import GatewayConfig, render
from infra.local.processes.nginx import gateway_config
from infra.local.setup.seed import STREAM_ID
from tests.faults.harness.api_client import ApiClient
from tests.faults.harness.command_line import command_parser, print_start
from tests.faults.harness.private_stack import PASSWORD, Operator, private_stack
from tests.fixtures.ports import await_server, free_port
from tests.fixtures.stack import Stack
from tests.integration.gateway.nginx.harness import nginx_argv
from tests.integration.player.player_harness import logged_in

VARIANTS = ("product", "unheld", "none", "uncached", "secure_link")
SIZES = {"1 KiB": 1_024, "500 KiB": 512_000}
CONNECTIONS = 32
LEASE_MS = 60_000
SIGNED_WITH = "of this run"
LINK_S = 3_600
WATCHED_S = 120.0
WATCHED_LEASE_MS = 10_000
DECISION = re.compile(r'"GET /verdict')
SEGMENT_LOCATION = re.compile(r'        location ~ "[^"]*\.ts\)\\z" \{\n.*?\n        \}\n', re.DOTALL)
SERVED_BODY = re.compile(r"        location @served \{\n(.*?)\n        \}\n", re.DOTALL)
FLOOD_LIMIT = re.compile(r"            limit_req zone=segments_of_user .*\n")
HOLD = re.compile(r"^ +(?:[a-z_]+_by_lua_block \{ hold\.|set \$reserved_ms |lua_check_client_abort ).*\n", re.MULTILINE)
DECISION_CACHE = re.compile(r"            proxy_cache verdicts;\n            proxy_cache_key [^\n]*\n")


def main() -> int:
    """Print a table for each size, and the number of decisions per minute of a viewer."""
    parser = command_parser("python -m bench.gateway_auth", __doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    print_start(options.seed)
    with ExitStack() as undo:
        directory = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="tcbench-")))
        log = directory / "decisions.log"
        os.environ["GUNICORN_CMD_ARGS"] = f"--access-logfile {log}"
        stack = undo.enter_context(private_stack(sessions_per_user_max=2))
        operator = undo.enter_context(Operator(stack.url))
        operator.go_live()
        measure_throughput(stack, operator, directory, random.Random(options.seed), options.rounds, options.seconds)
        measure_decisions(stack, operator, directory, log)
    return 0


def measure_throughput(
    stack: Stack, operator: Operator, directory: Path, rng: random.Random, rounds: int, seconds: int
) -> None:
    """Measure every variant with wrk, alternating."""
    operator.do("PATCH", f"/streams/{STREAM_ID}", {"lease_ms": LEASE_MS})
    account, _ = operator.viewer(1_000_000_000)
    with ExitStack() as undo:
        client = undo.enter_context(ApiClient(stack.url, account))
        gateways = {each: undo.enter_context(Variant(stack, each, directory / each).running()) for each in VARIANTS}
        for name, size in SIZES.items():
            # The worker deletes segments that no playlist names, so it is stored just before the variants cache it.
            put_segment(stack, size)
            found: dict[str, list[tuple[float, float]]] = {each: [] for each in VARIANTS}
            for _ in range(rounds):
                session = client.send("POST", "/playback/start", {"stream_id": STREAM_ID}).document
                for each in rng.sample(VARIANTS, len(VARIANTS)):
                    headers = gateways[each].headers(session["session_id"], session["play_token"])
                    path = f"/play/{session['session_id']}/bench/{size}.ts"
                    gateways[each].load(path, headers, 1)
                    found[each].append(gateways[each].load(path, headers, seconds))
                client.send("POST", "/playback/stop", {"session_id": session["session_id"]})
            report(name, found)


def report(name: str, found: dict[str, list[tuple[float, float]]]) -> None:
    """Print medians, and the ratio of the product to each variant."""
    print(f"\nsegments of {name}, medians of {len(found['product'])}:")
    rates = {each: statistics.median(rate for rate, _ in runs) for each, runs in found.items()}
    by_cpu = {each: statistics.median(rate for _, rate in runs) for each, runs in found.items()}
    for each in VARIANTS:
        print(
            f"  {each:12} {rates[each]:8.0f} requests/s (product/this {rates['product'] / rates[each]:5.2f}), "
            f"{by_cpu[each]:8.0f} a second of nginx's processor time ({by_cpu['product'] / by_cpu[each]:5.2f})",
            flush=True,
        )


class Variant:
    """An nginx with a changed configuration of the product."""

    def __init__(self, stack: Stack, name: str, directory: Path) -> None:
        self._stack = stack
        self._name = name
        self._directory = directory
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> "Iterator[Variant]":
        """Run nginx for the block."""
        self._directory.mkdir()
        path = self._directory / "nginx.conf"
        path.write_text(varied(render(self._config()), self._name))
        # The log is written as in the product, to /dev/null.
        self._process = subprocess.Popen(nginx_argv(self._directory, path), stdout=subprocess.DEVNULL)
        try:
            await_server(self._port, self._process, Path(os.devnull))
            yield self
        finally:
            self._process.terminate()
            self._process.wait(10)

    def _config(self) -> GatewayConfig:
        os.environ.update(self._stack.environ)
        return replace(
            gateway_config(self._stack.layout, config.load()),
            listen=f"127.0.0.1:{self._port}",
            origin_socket=self._directory / "origin.sock",
            state_dir=self._directory,
        )

    def headers(self, session_id: str, token: str) -> list[str]:
        """Return the headers that a request for this variant needs."""
        if self._name != "secure_link":
            return [f"Authorization: Bearer {token}"]
        until = int(time.time()) + LINK_S
        digest = hashlib.md5(f"{until}{session_id} {SIGNED_WITH}".encode(), usedforsecurity=False).digest()
        link = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        # The filler makes the request as long as one with a token.
        return [f"X-Link: {link}", f"X-Until: {until}", f"X-Filler: {token}"]

    def load(self, path: str, headers: list[str], seconds: int) -> tuple[float, float]:
        """Return the requests per second, and per second of nginx's processor time."""
        assert self._process is not None
        before = self._cpu_s()
        argv = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "10s"]
        argv += [part for header in headers for part in ("-H", header)]
        done = subprocess.run(
            [*argv, f"http://127.0.0.1:{self._port}{path}"], capture_output=True, text=True, timeout=seconds + 60
        )
        assert done.returncode == 0 and "Non-2xx" not in done.stdout, f"{self._name}: {done.stdout}{done.stderr}"
        [count] = re.findall(r"(\d+) requests in", done.stdout)
        [rate] = re.findall(r"Requests/sec:\s+([\d.]+)", done.stdout)
        return float(rate), int(count) / max(0.01, self._cpu_s() - before)

    def _cpu_s(self) -> float:
        assert self._process is not None
        return sum(cpu_s(worker.pid) for worker in psutil.Process(self._process.pid).children())


def varied(text: str, name: str) -> str:
    """Return the configuration of a variant. Fail if the product's no longer has the part that is changed."""
    text = _without(text, FLOOD_LIMIT)
    if name == "uncached":
        return _without(text, DECISION_CACHE)
    if name == "product":
        return text
    text = _without(text, HOLD, 5)
    if name == "unheld":
        return text
    body = SERVED_BODY.search(text)
    location = SEGMENT_LOCATION.search(text)
    assert body and location, "the locations of segments are not found"
    head = location[0].split("\n")[0]
    link = (
        f'secure_link "$http_x_link,$http_x_until"; secure_link_md5 "$secure_link_expires$sid {SIGNED_WITH}";\n'
        'if ($secure_link = "") { return 403; } if ($secure_link = "0") { return 410; }'
    )
    rule = link if name == "secure_link" else ""
    # In the product, the decision sets these.
    variables = f'set $tollcast_stream "{STREAM_ID}"; set $tollcast_user bench;'
    changed = f"{head}\n{rule}\n{variables}\n{body[1]}\n}}\n"
    return text.replace(location[0], changed)


def _without(text: str, pattern: re.Pattern[str], times: int = 1) -> str:
    assert len(pattern.findall(text)) == times, f"{pattern.pattern} does not occur {times} times"
    return pattern.sub("", text)


def put_segment(stack: Stack, size: int) -> None:
    """Store an object of that size beside the stream's segments."""
    os.environ.update(stack.environ)
    aws.client("s3").put_object(
        Bucket=stack.environ["TOLLCAST_MEDIA_BUCKET"],
        Key=f"streams/{STREAM_ID}/bench/{size}.ts",
        Body=os.urandom(size),
        ContentType="video/mp2t",
        Metadata={"media-ms": "2000"},
    )


def measure_decisions(stack: Stack, operator: Operator, directory: Path, log: Path) -> None:
    """Count nginx's requests for decisions while a real player watches with leases of 10 s."""
    operator.do("PATCH", f"/streams/{STREAM_ID}", {"lease_ms": WATCHED_LEASE_MS})
    account, _ = operator.viewer(1_000_000_000)
    home = directory / "home"
    home.mkdir()
    player = logged_in(stack.url, home, account.email, PASSWORD)
    before = len(DECISION.findall(log.read_text()))
    playback = player.play()
    try:
        time.sleep(WATCHED_S)
        assert playback.process.poll() is None, playback.finish()
        calls = len(DECISION.findall(log.read_text())) - before
    finally:
        player.end_all()
    print(
        f"\na player with leases of 10 s: {calls} decisions in {WATCHED_S:.0f} s, {calls * 60 / WATCHED_S:.1f} a minute"
    )


if __name__ == "__main__":
    sys.exit(main())
