"""A run: a follower and a real mpv on a real platform, and the events of a plan."""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from chalicelib.domain.streams.stream import DesiredState
from infra.local.setup.seed import STREAM_ID
from tests.chaos.events import EventResult, EventRunner
from tests.chaos.follower import Follower
from tests.chaos.picture_sampler import PictureSampler, stalls
from tests.chaos.plan import PAUSE_S_MIN, Plan
from tests.chaos.report import Row, broken_goals, rows
from tests.chaos.viewer_session import ViewerSession
from tests.chaos.workers import private_workers
from tests.faults.harness.private_stack import LIVE_S_MAX, PASSWORD, Operator
from tests.fixtures.stack import Stack
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import PlayProcess, logged_in

OPENING_MILLIPOINTS = 100_000_000
PICTURE_S_MAX = 60.0
INTERRUPTED = 130
# Two renditions with few pictures a second need little CPU.
CLIP = "chaos.mp4"
CLIP_ARGV = (
    *("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=12", "-f", "lavfi", "-i", "sine"),
    *("-t", "20", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run. `broken_goals` are stalls that are too many or too long."""

    rows: list[Row]
    violations: list[str]
    broken_goals: list[str]
    summary: str


def run_plan(stack: Stack, plan: Plan, rng: random.Random, directory: Path, segment_seconds: int) -> Outcome:
    """Run a plan and print each event."""
    with ExitStack() as parts:
        operator = parts.enter_context(Operator(stack.url))
        workers = parts.enter_context(private_workers(stack, directory, rng))
        parts.enter_context(live_stream(stack, operator, segment_seconds))
        session = parts.enter_context(ViewerSession(stack.url, operator.viewer(OPENING_MILLIPOINTS)[0], STREAM_ID))
        bucket = stack.environ["TOLLCAST_MEDIA_BUCKET"]
        follower = parts.enter_context(Follower(session, s3_of(stack), bucket, STREAM_ID))
        playback = parts.enter_context(mpv_of(stack, operator, directory))
        picture = parts.enter_context(PictureSampler(playback.mpv))
        wait_for("moving picture", lambda: picture.moves_within(1.0, 0.5), PICTURE_S_MAX)
        runner = EventRunner(workers, follower, rng, plan.uploads_fail_s)
        began_s = time.monotonic()
        events = run_events(runner, plan, picture, began_s)
        over_s = time.monotonic()
        if playback.process.poll() is not None:
            runner.problems.append(f"the player ended with status {playback.process.returncode}")
        found = rows(events, follower.arrivals, stalls(picture.samples), began_s, over_s)
        summary = (
            f"{follower.polls} polls saw {len(follower.arrivals)} numbers, checked {follower.checked} objects and"
            f" fetched {follower.fetched}; {sum(worker.store.failed for worker in workers.all)} writes failed"
        )
    violations = [*runner.problems, *follower.problems]
    return Outcome(found, violations, broken_goals(found, plan.uploads_fail_s), summary)


def run_events(runner: EventRunner, plan: Plan, picture: PictureSampler, began_s: float) -> list[EventResult]:
    """Run the events one after another. Ends early if the stream does not recover."""
    events: list[EventResult] = []
    for planned in plan.events:
        time.sleep(max(began_s + planned.at_s - time.monotonic(), PAUSE_S_MIN))
        print(f"{time.monotonic() - began_s:6.1f} s  {planned.kind}", flush=True)
        event = runner.run(planned.kind)
        events.append(event)
        if event.recovered_s is None:
            return events
        if not picture.moves_within(PICTURE_S_MAX):
            runner.problems.append(f"{planned.kind}: the picture did not move within {PICTURE_S_MAX:.0f} s")
            return events
    time.sleep(max(began_s + plan.total_s - time.monotonic(), PAUSE_S_MIN))
    return events


@contextmanager
def live_stream(stack: Stack, operator: Operator, segment_seconds: int) -> Iterator[None]:
    """Start `stream-1` from a clip with two renditions. Afterwards stop it and restore its settings."""
    path = stack.layout.media_dir / CLIP
    subprocess.run(["ffmpeg", "-v", "error", "-y", *CLIP_ARGV, path], check=True, timeout=60)
    settings = {
        "ingest": {"mode": "file", "path": CLIP},
        "abr_profile": "hd",
        "segment_seconds": segment_seconds,
        "window_minutes": 2,
    }
    found = operator.do("GET", f"/streams/{STREAM_ID}").document
    operator.do("PATCH", f"/streams/{STREAM_ID}", settings)
    operator.do("POST", f"/streams/{STREAM_ID}/state", {"state": DesiredState.LIVE})
    try:
        wait_for("live stream", operator.is_live, LIVE_S_MAX)
        yield
    finally:
        operator.stop_stream()
        operator.do("PATCH", f"/streams/{STREAM_ID}", {name: found[name] for name in settings})


@contextmanager
def mpv_of(stack: Stack, operator: Operator, directory: Path) -> Iterator[PlayProcess]:
    """Run the player of another viewer with a real mpv."""
    account, _ = operator.viewer(OPENING_MILLIPOINTS)
    player = logged_in(stack.url, directory, account.email, PASSWORD)
    playback = player.play()
    try:
        yield playback
        if playback.process.poll() is None:
            status, _ = playback.interrupt()
            assert status == INTERRUPTED, f"the player ended with status {status} after Ctrl-C"
    finally:
        player.end_all()


def s3_of(stack: Stack) -> Any:
    """Return an S3 client of the emulator without a proxy."""
    return boto3.client(
        "s3",
        endpoint_url=stack.layout.emulator_url,
        region_name=stack.environ["AWS_REGION"],
        aws_access_key_id=stack.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.environ["AWS_SECRET_ACCESS_KEY"],
    )
