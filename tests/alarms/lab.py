"""A private platform with a real Prometheus, whose rules are as in production but with shorter times."""

import os
import re
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from chalicelib import config
from chalicelib.bootstrap import Container
from infra.local.processes import prometheus
from tests.faults.harness.api_client import ApiClient
from tests.faults.harness.private_stack import Operator, private_stack
from tests.fixtures.ports import free_port
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for

# Times of the rules are divided by this. An alert that waits for 5 minutes waits for 5 seconds.
FASTER = 60
# A rate needs two scrapes, which are 5 s apart here.
WINDOW_S_MIN, FOR_S_MIN = 30, 2
SECONDS = {"s": 1, "m": 60, "h": 3_600}
READY_S_MAX, CHANGE_S_MAX = 60.0, 300.0


def shortened(rules: str) -> str:
    """Return alert rules with shorter windows and waits. Bounds of values stay."""

    def seconds(found: re.Match[str], least: int) -> int:
        return max(least, int(found[1]) * SECONDS[found[2]] // FASTER)

    rules = re.sub(r"\[(\d+)([smh])\]", lambda found: f"[{seconds(found, WINDOW_S_MIN)}s]", rules)
    return re.sub(r"for: (\d+)([smh])", lambda found: f"for: {seconds(found, FOR_S_MIN)}s", rules)


@dataclass
class Lab:
    """The platform, an operator, its services in this process, and the address of Prometheus."""

    stack: Stack
    operator: Operator
    services: Container
    url: str

    def firing(self) -> set[str]:
        """Return the names of the firing alerts."""
        alerts = httpx.get(f"{self.url}/api/v1/alerts", timeout=20).json()["data"]["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def viewer(self, millipoints: int = 1_000) -> tuple[ApiClient, str]:
        """Return the client of a new viewer, and the user id."""
        account, answers = self.operator.viewer(millipoints)
        return ApiClient(self.stack.url, account), answers.user_id

    def set_live(self, settings: dict[str, object]) -> str:
        """Create a stream, set it live, and return its id."""
        stream_id = f"alarm-{uuid.uuid4().hex[:8]}"
        body = {"stream_id": stream_id, "title": stream_id, "rate_millipoints_per_minute": 60_000, **settings}
        self.operator.do("POST", "/streams", body)
        self.operator.do("POST", f"/streams/{stream_id}/state", {"state": "live"})
        return stream_id

    def set_off(self, stream_id: str) -> None:
        """Stop a stream."""
        self.operator.do("POST", f"/streams/{stream_id}/state", {"state": "stopped"})

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Suspend a part and its children: it neither works nor ends."""
        parent = psutil.Process(self.stack.pid(part))
        processes = [parent, *parent.children(recursive=True)]
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)


@contextmanager
def running_lab() -> Iterator[Lab]:
    """Run a platform, and Prometheus beside it. Causes that need a live stream start it."""
    with private_stack(8) as stack, Operator(stack.url) as operator:
        os.environ.update({k: v for k, v in stack.environ.items() if k.startswith(("AWS_", "TOLLCAST_"))})
        services, url = Container(config.load()), f"http://127.0.0.1:{free_port()}"
        key = operator.do("POST", "/service-keys", {"name": "alarms", "scopes": ["metrics"], "expires_in_days": 1})
        prometheus.key_file(stack.layout).write_text(key.document["key"])
        with _prometheus(stack, url):
            yield Lab(stack, operator, services, url)


@contextmanager
def _prometheus(stack: Stack, url: str) -> Iterator[None]:
    directory: Path = stack.layout.prometheus_dir
    rules, settings = directory / "rules.yml", directory / "prometheus.yml"
    rules.write_text(shortened(prometheus.RULES.read_text()))
    settings.write_text(prometheus.configuration(stack.layout, rules))
    argv = prometheus.command(stack.layout, settings, int(url.rpartition(":")[2]))
    with (directory / "prometheus.log").open("ab") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for("Prometheus", lambda: _reads(url), READY_S_MAX)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _reads(url: str) -> bool:
    with suppress(httpx.HTTPError):
        found = httpx.get(f"{url}/api/v1/query", params={"query": 'up{job="tollcast"} == 1'}, timeout=5)
        return found.status_code == 200 and bool(found.json()["data"]["result"])
    return False
