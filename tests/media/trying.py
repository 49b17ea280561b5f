"""Tests one input on a running platform: starts it, watches and pays, and judges the segments."""

import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chalicelib.domain.operations.workers import ABOUT_TO_CLAIM
from chalicelib.domain.streams.issues.ingest_refusals import WAITING_FOR_SENDER
from tests.faults.harness.api_client import Account, Answer
from tests.faults.harness.private_stack import Operator
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for
from tests.integration.worker.senders import free_udp_port
from tests.media import senders
from tests.media.inputs.model import Feed, Input
from tests.media.judging.judge import Result, judge
from tests.media.judging.promises import broken_promises
from tests.media.senders import Sender
from tests.media.viewer import Viewer

MILLIPOINTS_PER_POINT = 1_000
# One point a second, so that points and seconds are the same.
TERMS = {"rate_millipoints_per_minute": 60_000, "lease_ms": 5_000, "segment_seconds": 2}
OPENING_MILLIPOINTS = 10_000_000
POLL_S = 0.5
LISTENS_S_MAX, WATCH_S_MORE, NEWS_S_MAX, STOPPED_S_MAX = 15.0, 14.0, 8.0, 15.0


@dataclass(frozen=True)
class Outcome:
    """The result, and the paid points."""

    item: Input
    result: Result
    paid_points: float = 0.0


@dataclass
class Stage:
    """The platform of a run. `account` is the operator's, shared by all threads."""

    stack: Stack
    account: Account
    origin_url: str
    directories: Mapping[str, Path]
    work: Path


@dataclass
class Try:
    """A test of one input on the stage."""

    stage: Stage
    item: Input
    stream_id: str = ""
    restarts: int = 0
    state: str = ""
    errors: list[str] = field(default_factory=list)
    sender: Sender | None = None

    def run(self) -> Outcome:
        """Try the input, and delete its stream."""
        with Operator(self.stage.stack.url, self.stage.account) as self.operator:
            made = self._create()
            if made.status >= 300:
                return Outcome(self.item, judge(self.item, [], str(made.document.get("detail", made))))
            try:
                return self._watched()
            finally:
                if self.sender:
                    self.sender.close()
                self._state("stopped")
                # The worker takes the next stream only after the end of this one.
                with suppress(AssertionError):
                    wait_for("end of the stream", lambda: self._look() == "stopped", STOPPED_S_MAX)
                self.operator.send("DELETE", f"/streams/{self.stream_id}")

    def _create(self) -> Answer:
        item = self.item
        self.stream_id = f"{item.name}-{uuid.uuid4().hex[:5]}"
        width, height = item.size
        ladder = [{"name": "tiny", "width": width, "height": height, "video_bps": 400_000, "audio_bps": 96_000}]
        profile = {"abr_profile": "custom", "custom_renditions": ladder}
        fields = {
            **TERMS,
            "stream_id": self.stream_id,
            "title": item.about[:80],
            **({"abr_profile": "source"} if item.profile == "source" else profile),
            **item.settings,
            "ingest": {**self._ingest(), **item.ingest},
        }
        return self.operator.send("POST", "/streams", fields)

    def _ingest(self) -> dict[str, Any]:
        made = self.stage.directories[self.item.name] / self.item.entry
        match self.item.feed:
            case Feed.FILE:
                name = self.item.file_name or f"{self.item.name}{made.suffix}"
                shutil.copy(made, self.stage.stack.layout.media_dir / name)
                return {"mode": "file", "path": name}
            case Feed.PULL:
                return {"mode": "pull", "url": f"{self.stage.origin_url}/{self.item.name}/{self.item.entry}"}
            case Feed.RTMP:
                return {"mode": "listen", "protocol": "rtmp"}
            case Feed.SRT:
                return {"mode": "listen", "protocol": "srt", "port": free_udp_port()}

    def _watched(self) -> Outcome:
        began_s = time.monotonic()
        self._state("live")
        if self.item.feed in (Feed.SRT, Feed.RTMP):
            self._send()
            began_s = time.monotonic()
        while self._look() != "live":
            if time.monotonic() - began_s > self.item.live_s_max or (self.item.expect.refused and self.errors):
                return Outcome(self.item, judge(self.item, [], self.errors[-1] if self.errors else "not live in time"))
            time.sleep(POLL_S)
        live_s = time.monotonic() - began_s
        account, answers = self.operator.viewer(OPENING_MILLIPOINTS)
        with Viewer(self.stage.stack.url, account, self.stream_id, self.stage.work / self.stream_id) as viewer:
            self._wait(viewer)
        paid = self._paid(answers.user_id)
        result = judge(self.item, viewer.segments, self.errors[-1] if self.errors else "")
        faults = [*result.faults, *self._platform_faults(viewer, paid, result.worth_s)]
        shutil.rmtree(self.stage.work / self.stream_id, ignore_errors=True)
        return Outcome(
            self.item, replace(result, faults=tuple(faults), figure=f"live {live_s:.0f} s, {result.figure}"), paid
        )

    def _wait(self, viewer: Viewer) -> None:
        """Wait until enough was seen, nothing has come for long, or the time is over."""
        began_s = time.monotonic()
        while (now_s := time.monotonic()) - began_s < self.item.watch_s + WATCH_S_MORE:
            self._look()
            if viewer.media_s >= self.item.watch_s and not self.item.expect.content_s:
                return
            if (
                self.sender
                and not self.sender.is_alive()
                and now_s - max(viewer.news_at_s, default=began_s) > NEWS_S_MAX
            ):
                return
            time.sleep(POLL_S)

    def _platform_faults(self, viewer: Viewer, paid: float, worth_s: float) -> list[str]:
        faults = list(viewer.problems)
        if viewer.segments:
            faults += broken_promises(viewer.multivariant, viewer.segments[-1].probed)
        # A slate that replaces a dead source is another run.
        if self.restarts and not self.item.expect.content_s:
            faults.append(f"restarted {self.restarts} times: {self.errors[-1] if self.errors else 'no reason'}")
        if self.sender and self.sender.sent_away:
            faults.append(f"the sender was sent away {self.sender.sent_away} times")
        if paid > worth_s + self.item.expect.paid_over_s_max:
            faults.append(f"{paid:.0f} points were paid for {worth_s:.0f} s")
        return faults

    def _send(self) -> None:
        """Let the sender connect as soon as the stream listens."""
        deadline_s = time.monotonic() + LISTENS_S_MAX
        while self._look() not in ("starting", "stalled", "backoff") and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
        address = self._get(f"/streams/{self.stream_id}")["ingest_address"]
        made = self.stage.directories[self.item.name] / self.item.entry
        if self.item.feed is Feed.RTMP:
            self.sender = senders.by_rtmp(address["server"], address["stream_key"], made)
        else:
            self.sender = senders.by_srt(address["url"], made, self.item.turn_s, self.item.turns)
        self.sender.start()

    def _look(self) -> str:
        found = self._get(f"/streams/{self.stream_id}/runtime")
        self.restarts, self.state = found["restarts"], found["state"]
        error = found["last_error"]
        # That no worker has it, or no sender is there yet, is no reason for anything.
        is_unclaimed = found["worker_id"] is None and self.state != "failed"
        is_waiting = is_unclaimed or (error or "").startswith((WAITING_FOR_SENDER, ABOUT_TO_CLAIM))
        if error and error not in self.errors and not is_waiting:
            self.errors.append(error)
        return self.state

    def _state(self, state: str) -> None:
        self.operator.send("POST", f"/streams/{self.stream_id}/state", {"state": state})

    def _get(self, path: str) -> dict[str, Any]:
        return self.operator.send("GET", path).document

    def _paid(self, user_id: str) -> float:
        """Return the paid points after refunds and credits for outages."""
        items = self._get(f"/wallets/{user_id}/ledger")["items"]
        lost = -sum(item["delta_millipoints"] for item in items if item["kind"] != "credit")
        return lost / MILLIPOINTS_PER_POINT
