"""The small parts: settings, logs, health, progress, and how the end of a process is reported."""

import json
import logging
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from chalicelib.config import ConfigError
from chalicelib.domain.media_health import Repairs
from worker import config, health
from worker.child import LINE_BYTES_MAX, LOG_LINES_MAX, Child
from worker.encoding.transcoder import Progress, Transcoder, parsed
from worker.ingest.egress_http import as_typed
from worker.limits import bounded
from worker.logs import JsonFormatter

ENVIRON = {
    "TOLLCAST_WORKER_ID": "w1",
    "TOLLCAST_MEDIA_DIR": "/media",
    "TOLLCAST_WORK_DIR": "/scratch",
    "PATH": "/usr/bin",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def test_settings_are_read_once_and_child_processes_get_no_secret() -> None:
    own = config.load(ENVIRON)
    assert (own.worker_id, own.capacity, own.media_dir) == ("w1", config.CAPACITY_DEFAULT, Path("/media"))
    assert own.scratch_dir == Path("/scratch/w1")
    assert set(own.ffmpeg_environ) == {"PATH", "LC_ALL", "TZ"}


def test_where_rtmp_is_played_from_may_be_left_out() -> None:
    assert config.load(ENVIRON).rtmp_url is None
    own = config.load({**ENVIRON, "TOLLCAST_RTMP_URL": "rtmp://127.0.0.1:1935/live"})
    assert own.rtmp_url == "rtmp://127.0.0.1:1935/live"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOLLCAST_WORKER_ID", "a b"),
        ("TOLLCAST_WORKER_ID", "../up"),
        ("TOLLCAST_WORKER_CAPACITY", "0"),
        ("TOLLCAST_WORKER_CAPACITY", "many"),
        ("TOLLCAST_MEDIA_DIR", ""),
        ("TOLLCAST_MEDIA_DIR", "relative"),
        ("TOLLCAST_WORK_DIR", "/with%d"),
        ("TOLLCAST_RTMP_URL", "http://127.0.0.1:1935/live"),
        ("TOLLCAST_RTMP_URL", "rtmp://127.0.0.1:1935/live/stream"),
        ("TOLLCAST_LISTEN_HOST", "localhost"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        config.load({**ENVIRON, name: value})


REPORT = {"out_us": 1_500_000, "speed": 0.99, "repairs": {"silence_ms": 40, "pictures_dropped": 3}, "notes": ["a", "b"]}


@pytest.mark.parametrize(("rate", "fps"), [(30.0, 29.7), (None, None)])
def test_progress_is_a_line_of_json(rate: float | None, fps: float | None) -> None:
    progress = parsed(json.dumps(REPORT), rate)
    repairs = Repairs(silence_ms=40, pictures_dropped=3)
    assert progress == Progress(out_us=1_500_000, fps=fps, speed=0.99, repairs=repairs, notes=("a", "b"))
    assert progress.dropped_frames == 3 and Progress().dropped_frames == 0


def test_a_newer_report_of_repairs_is_read_as_far_as_it_is_known() -> None:
    progress = parsed(json.dumps(REPORT | {"repairs": {"silence_ms": 40, "new": 1}, "new": 1}), 25.0)
    assert progress and progress.repairs == Repairs(silence_ms=40)


@pytest.mark.parametrize("name", REPORT)
def test_an_incomplete_report_is_no_progress(name: str) -> None:
    assert parsed(json.dumps({key: value for key, value in REPORT.items() if key != name}), 25.0) is None
    assert parsed(json.dumps(REPORT | {name: None}), 25.0) is None


@pytest.mark.parametrize("line", ["", "[warning] deprecated pixel format", "3", "[]", "{", json.dumps("a")])
def test_other_lines_are_no_progress(line: str) -> None:
    assert parsed(line, 25.0) is None


def shell(script: str, **more: Any) -> Child:
    return Child("encoder", ["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, **more)


def ended(process: Child) -> Child:
    deadline = time.monotonic() + 10
    while process.running and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    return process


def finished(script: str) -> Child:
    return ended(shell(script))


def test_the_notes_of_all_reports_are_kept_and_the_last_progress_counts() -> None:
    lines = [json.dumps(REPORT), "nonsense", json.dumps(REPORT | {"out_us": 2_000_000, "notes": ["c"]})]
    script = "\n".join(f"echo '{line}'" for line in lines)
    process = Transcoder(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, rate=25.0, is_copy=True, stdin=False)
    ended(process)
    assert (process.progress.out_us, process.progress.fps) == (2_000_000, None)
    assert list(process.notes) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("script", "ending", "complaint"),
    [
        ("exit 0", "the encoder ended with status 0 although it was not asked to", ""),
        (
            "echo '[error] no such file' >&2; echo more >&2; exit 1",
            "the encoder ended with status 1: [error] no such file",
            "no such file",
        ),
        (
            "echo 'setpriv: no python' >&2; exit 127",
            "the encoder ended with status 127: setpriv: no python",
            "setpriv: no python",
        ),
        ("exit 3", "the encoder ended with status 3", ""),
        ("echo '[error] old' >&2; kill -9 $$", "the encoder was killed by SIGKILL", "old"),
    ],
)
def test_an_end_is_explained(script: str, ending: str, complaint: str) -> None:
    process = finished(script)
    assert (process.ending(), process.complaint()) == (ending, complaint)


def test_what_it_says_is_kept_within_bounds() -> None:
    process = finished("i=0; while [ $i -lt 300 ]; do echo line $i >&2; i=$((i+1)); done; head -c 9000 /dev/zero >&2")
    assert len(process.lines) == LOG_LINES_MAX
    assert max(len(line) for line in process.lines) <= LINE_BYTES_MAX


def test_a_process_that_ignores_the_signal_to_end_is_killed() -> None:
    process = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    assert process.stdout.readline() == b"ready\n"
    started = time.monotonic()
    process.stop(0.3)
    assert not process.running and time.monotonic() - started < 3
    assert process.ending() == f"the encoder was killed by {signal.SIGKILL.name}"


def test_an_event_is_one_line_of_json() -> None:
    record = logging.makeLogRecord({"name": "worker", "levelname": "INFO", "msg": "ffmpeg %s", "args": ("started",)})
    record.stream_id = "stream-1"
    event = json.loads(JsonFormatter().format(record))
    assert event["message"] == "ffmpeg started" and event["stream_id"] == "stream-1" and event["level"] == "info"
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


def test_what_it_says_is_kept_without_secrets() -> None:
    script = "echo 'srt://h:1?passphrase=0123456789 refused my-secret' >&2; exit 1"
    process = shell(script, secrets=["my-secret"])
    process.stdout.read()
    process.stop(5)
    assert process.ending() == "the encoder ended with status 1: srt://h:1?*** refused ***"


def test_an_address_that_was_replaced_is_reported_as_the_operator_typed_it() -> None:
    process = ended(shell("echo '[error] http://h.test:443/a: no' >&2; exit 1", reword=as_typed))
    assert process.complaint() == "https://h.test/a: no"


def test_the_exit_status_is_known_once_it_has_ended() -> None:
    assert finished("exit 4").exit_status == 4
    process = shell("sleep 10")
    assert process.exit_status is None
    process.kill()


def test_programs_run_within_limits_and_end_with_the_worker() -> None:
    argv = bounded(["ffmpeg", "-version"], cores=2)
    assert argv[:3] == ["setpriv", "--pdeathsig", "KILL"] and argv[-3:] == ["--", "ffmpeg", "-version"]
    assert f"--as={6 << 30}" in argv and "--core=0" in argv
    allowed = subprocess.run(bounded(["sh", "-c", "ulimit -n; ulimit -c; ulimit -f"]), capture_output=True, check=True)
    assert allowed.stdout.split() == [b"256", b"0", str((512 << 20) // 512).encode()]
