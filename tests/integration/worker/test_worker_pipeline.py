"""A stream with real ffmpeg and real stores goes live and recovers from every failure."""

import itertools
import json
import signal
import subprocess
from pathlib import Path

from chalicelib.domain.streams.run_logs import decode, run_log_key
from chalicelib.domain.streams.runtime import RuntimeState, is_delivered
from chalicelib.domain.streams.stream import DesiredState
from tests.fixtures.waiting import eventually
from tests.integration.worker.harness import STREAM, Lab
from worker.supervision.pipeline import EndReason


def packets(path: Path, kind: str) -> list[float]:
    """Return the decoding time stamps of a transport stream, in order."""
    argv = ["ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "packet=dts_time", "-of", "json"]
    done = subprocess.run([*argv, str(path)], capture_output=True, check=True, timeout=30)
    return [float(packet["dts_time"]) for packet in json.loads(done.stdout)["packets"]]


def assert_unbroken(path: Path, *, gap_s: float) -> float:
    """Check that both tracks' time stamps rise without a gap; return the length."""
    lengths = []
    for kind in ("v:0", "a:0"):
        times = packets(path, kind)
        steps = [after - before for before, after in itertools.pairwise(times)]
        assert min(steps) > 0 and max(steps) < gap_s, f"{kind}: steps from {min(steps)} to {max(steps)}"
        lengths.append(times[-1] - times[0])
    assert abs(lengths[0] - lengths[1]) < 0.25
    return lengths[0]


def test_the_pattern_goes_live_and_survives_its_ffmpeg(lab: Lab, tmp_path: Path) -> None:
    lab.add()
    pipeline = lab.pipeline()
    runtime = lab.wait_for(RuntimeState.LIVE)
    assert is_delivered(runtime, runtime.reported_at_ms)
    assert lab.follower.poll() >= 0, "live means that the playlists are there"
    lab.wait_for_segments(1)

    lab.signal_encoder(signal.SIGKILL)
    lab.wait_for_run("1-2")
    runtime = lab.wait_for(RuntimeState.LIVE)
    assert runtime.restarts == 1 and runtime.last_error == "the encoder was killed by SIGKILL"

    lab.signal_encoder(signal.SIGSTOP)
    lab.wait_for_run("1-3")
    runtime = lab.wait_for(RuntimeState.LIVE)
    assert runtime.restarts == 2
    assert runtime.last_error in ("no new segment for 3 s", "no progress for 3 s")
    assert [report.state.value for report in lab.runtimes.changes()] == [
        *("starting", "live"),
        *("backoff", "starting", "live"),
        *("stalled", "backoff", "starting", "live"),
    ]
    # mpv takes no notice of discontinuities: the time stamps themselves must go on.
    (tmp_path / "all.ts").write_bytes(lab.fetch())
    assert_unbroken(tmp_path / "all.ts", gap_s=0.2)

    lab.change(desired_state=DesiredState.PAUSED)
    eventually(lambda: not lab.encoders(), 3, "ffmpeg ended")
    pipeline.join(3)
    assert pipeline.end is EndReason.PAUSED
    runtime = lab.runtime()
    assert runtime.state is RuntimeState.STOPPED and runtime.claim is None
    lab.follower.poll()
    assert not lab.follower.ended
    stored = lab.s3.get(run_log_key(STREAM))
    assert stored
    done = [(run.run, run.ending) for run in decode(stored.body)]
    assert done[0] == ("1-3", "paused") and done[2] == ("1-1", "the encoder was killed by SIGKILL")


def test_a_higher_epoch_takes_over_and_the_old_one_ends(lab: Lab) -> None:
    lab.add()
    old = lab.pipeline()
    lab.wait_for_segments(2)
    new = lab.pipeline()
    old.join(10)
    assert old.end is EndReason.LOST and old.held_claim.is_lost
    lab.wait_for_run("2-1")
    assert lab.runs() == ["1-1", "2-1"] and lab.wait_for(RuntimeState.LIVE).claim == new.held_claim.claim
    assert len(lab.encoders()) == 1
    lab.change(desired_state=DesiredState.STOPPED)
    new.join(5)
    lab.follower.poll()
    assert lab.follower.ended
    # Live again after a stop: the numbers continue, and the end tag is removed.
    lab.change(desired_state=DesiredState.LIVE)
    lab.pipeline("w2")
    lab.wait_for_run("3-1")
    assert not lab.follower.ended


def make_clip(path: Path, *options: str) -> None:
    argv = ["ffmpeg", "-v", "error", "-y", *options, str(path)]
    subprocess.run(argv, check=True, timeout=30, stdin=subprocess.DEVNULL)


def test_a_mistake_of_ours_lets_the_stream_go_instead_of_hanging(lab: Lab) -> None:
    lab.add()
    pipeline = lab.pipeline()
    lab.wait_for(RuntimeState.LIVE)

    def before(operation: str, key: str) -> None:
        raise ZeroDivisionError("injected")

    lab.media.before = before
    pipeline.join(10)
    assert pipeline.end is EndReason.CRASHED and not lab.encoders()
    runtime = lab.runtime()
    assert runtime.state is RuntimeState.FAILED and runtime.claim is None
    assert "ZeroDivisionError: injected" in (runtime.last_error or "")
