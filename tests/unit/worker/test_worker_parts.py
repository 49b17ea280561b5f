import json
import logging
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from chalicelib.domain.streams.media_health import Repairs
from tests.fixtures.settings import WORKER
from tests.unit.worker.parts import eventually
from worker import config, health
from worker.encoding.transcoder import Activity, Progress, Transcoder, parse_progress
from worker.logs import JsonFormatter
from worker.processes.child import LINE_BYTES_MAX, LOG_LINES_MAX, Child
from worker.processes.limits import ENCODING, limit_argv

ENVIRON = {**WORKER, "PATH": "/usr/bin", "AWS_SECRET_ACCESS_KEY": "secret"}


def test_settings_are_read_once_and_ffmpeg_gets_no_secret() -> None:
    settings = config.load(ENVIRON)
    assert (settings.worker_id, settings.capacity) == ("w1", 1)
    assert (settings.media_dir, settings.scratch_dir) == (Path("/media"), Path("/scratch/w1"))
    assert set(settings.ffmpeg_environ) == {"PATH", "LC_ALL", "TZ"}


LINE = {
    "out_us": 1_000_000,
    "source_us": 31_000_000,
    "speed": 0.99,
    "repairs": {"silence_ms": 40, "pictures_dropped": 3, "drift_ppm": None},
    "notes": ["40 ms of sound are missing"],
    "activity": {"heard": True, "moves": False, "dark": True},
    "size": [640, 360],
}


def test_a_line_of_progress_is_read() -> None:
    progress = parse_progress(json.dumps(LINE), 30.0)
    assert progress and (progress.out_us, progress.source_us) == (1_000_000, 31_000_000)
    assert (progress.fps, progress.speed, progress.notes) == (29.7, 0.99, ("40 ms of sound are missing",))
    assert progress.repairs == Repairs(silence_ms=40, pictures_dropped=3)
    assert progress.activity == Activity(heard=True, moves=False, dark=True)
    assert (progress.dropped_frames, Progress().dropped_frames) == (3, 0)
    assert progress.size == (640, 360)
    # A copy has no frame rate, and what is not decoded no activity.
    progress = parse_progress(json.dumps(LINE | {"activity": None, "size": None}), None)
    assert progress and progress.speed == 0.99 and progress.size is None
    assert progress.fps is None and progress.activity is None
    # Repairs that are not known here are left out.
    progress = parse_progress(json.dumps(LINE | {"repairs": {"silence_ms": 1, "new": 2}}), 30.0)
    assert progress and progress.repairs == Repairs(silence_ms=1)


NOT_ALL = {"activity": {"heard": True}}, {"activity": {"heard": True, "moves": True, "dark": True, "new": True}}
WRONG_VALUES = (
    {"speed": "fast"},
    {"out_us": None},
    {"source_us": "late"},
    {"repairs": 3},
    {"notes": None},
    {"size": [1]},
    *NOT_ALL,
)


def test_what_is_no_progress_is_nothing() -> None:
    incomplete = {name: value for name, value in LINE.items() if name != "speed"}
    whole = map(json.dumps, (incomplete, *(LINE | wrong for wrong in WRONG_VALUES)))
    for line in ("", "nonsense", "[]", "null", "{}", *whole):
        assert parse_progress(line, 30.0) is None, line


def start_transcoder(script: str) -> Transcoder:
    return Transcoder(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, rate=30.0, is_copy=False, stdin=False)


def finished(script: str) -> Transcoder:
    process = start_transcoder(script)
    assert eventually(lambda: not process.is_running)
    process.kill()
    return process


def test_what_a_run_reports_is_kept() -> None:
    later = LINE | {"out_us": 2_000_000, "notes": ["x"], "activity": None}
    process = finished(f"echo '{json.dumps(LINE)}'; echo nonsense; echo '{json.dumps(later)}'")
    assert process.progress.out_us == 2_000_000
    assert list(process.notes) == ["40 ms of sound are missing", "x"]
    assert list(process.activity) == [Activity(heard=True, moves=False, dark=True)]


ENDS = {
    "exit 0": "ended with status 0 although it was not asked to",
    "echo '[error] no such file' >&2; exit 1": "ended with status 1: [error] no such file",
    "echo 'setpriv: no python' >&2; exit 127": "ended with status 127: setpriv: no python",
    "exit 3": "ended with status 3",
    "echo '[error] old' >&2; kill -9 $$": "was killed by SIGKILL",
}


@pytest.mark.parametrize(("script", "ending"), ENDS.items())
def test_an_end_is_explained(script: str, ending: str) -> None:
    assert finished(script).ending() == f"the encoder {ending}"


def test_what_it_says_is_kept_within_bounds() -> None:
    process = finished("i=0; while [ $i -lt 300 ]; do echo line $i >&2; i=$((i+1)); done; head -c 9000 /dev/zero >&2")
    assert len(process.lines) == LOG_LINES_MAX
    assert max(len(line) for line in process.lines) <= LINE_BYTES_MAX
    # And without secrets.
    script = "echo 'srt://h:1?passphrase=0123456789 refused my-secret' >&2; exit 1"
    child = Child("receiver", ["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, secrets=["my-secret"])
    child.stdout.read()
    child.stop(5)
    assert child.ending() == "the receiver ended with status 1: srt://h:1?*** refused ***"


def test_what_is_known_to_be_harmless_is_left_out() -> None:
    aac = "Codec 'aac' (86018) is not supported by the bitstream filter 'extract_extradata'. Supported codecs are: av1"
    hevc = "[hls @ 0x1] Stream HEVC is not hvc1, you should use tag:v hvc1 to set it."
    process = finished(f'echo "{aac}" >&2; echo one >&2; echo "{hevc}" >&2; echo two >&2')
    assert list(process.lines) == ["one", "two"]


def test_a_process_that_takes_no_hint_is_killed() -> None:
    process = start_transcoder("trap '' TERM; echo ready >&2; while :; do sleep 0.05; done")
    assert eventually(lambda: process.lines)
    began_s = time.monotonic()
    process.stop(0.3)
    assert not process.is_running and time.monotonic() - began_s < 3
    assert process.ending() == f"the encoder was killed by {signal.SIGKILL.name}"


def test_an_event_is_one_line_of_json() -> None:
    given = {"name": "worker", "levelname": "INFO", "msg": "ffmpeg %s", "args": ("started",), "stream_id": "stream-1"}
    event = json.loads(JsonFormatter().format(logging.makeLogRecord(given)))
    assert (event["message"], event["stream_id"], event["level"]) == ("ffmpeg started", "stream-1", "info")
    assert "args" not in event


def test_health_follows_the_main_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ENVIRON, "TOLLCAST_WORK_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert health.main() == 1
    path = config.load().heartbeat_file
    path.touch()
    assert health.main() == 0
    os.utime(path, (time.time() - 60, time.time() - 60))
    assert health.main() == 1


def test_programs_run_within_limits_and_end_with_the_worker() -> None:
    argv = limit_argv(["ffmpeg", "-version"], cores=2)
    assert argv[:3] == ["setpriv", "--pdeathsig", "KILL"] and argv[-3:] == ["--", "ffmpeg", "-version"]
    assert f"--as={(4 << 30) + (512 << 20)}" in argv and "--core=0" in argv
    assert f"--as={9 << 30}" in limit_argv(["encoder"], cores=2, space=ENCODING)
    limits = limit_argv(["sh", "-c", "ulimit -n; ulimit -c; ulimit -f"])
    allowed = subprocess.run(limits, capture_output=True, check=True)
    assert allowed.stdout.split() == [b"256", b"0", str((512 << 20) // 512).encode()]
