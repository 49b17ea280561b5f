"""The small parts: settings, logs, health, progress, what ffmpeg's end is called."""

import json
import logging
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from chalicelib.config import ConfigError
from worker import config, health
from worker.child import LINE_BYTES_MAX, LOG_LINES_MAX, Child
from worker.encoding.ffmpeg import Ffmpeg
from worker.encoding.progress import Progress, ProgressParser
from worker.limits import bounded
from worker.logs import JsonFormatter

ENVIRON = {
    "TOLLCAST_WORKER_ID": "w1",
    "TOLLCAST_MEDIA_DIR": "/media",
    "TOLLCAST_WORK_DIR": "/scratch",
    "PATH": "/usr/bin",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def test_settings_are_read_once_and_ffmpeg_gets_no_secret() -> None:
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


def test_progress_is_read_in_blocks() -> None:
    parser = ProgressParser()
    block = "frame=30\nfps=29.87\nout_time_us=1000000\nout_time=00:00:01\ndrop_frames=3\nspeed=0.99x\nprogress=continue"
    told = [parser.feed(line) for line in block.splitlines()]
    assert told[:-1] == [None] * 6
    assert told[-1] == Progress(out_time_us=1_000_000, fps=29.87, speed=0.99, dropped_frames=3)
    unknown = [parser.feed(line) for line in ("out_time_us=N/A", "speed=N/A", "nonsense", "progress=end")]
    assert unknown[-1] == Progress()


def finished(script: str) -> Ffmpeg:
    process = Ffmpeg(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]})
    deadline = time.monotonic() + 10
    while process.running and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    return process


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("exit 0", "ffmpeg ended with status 0 although nobody asked it to"),
        ("echo '[error] no such file' >&2; exit 1", "ffmpeg ended with status 1: [error] no such file"),
        ("echo 'setpriv: no ffmpeg' >&2; exit 127", "ffmpeg ended with status 127: setpriv: no ffmpeg"),
        ("exit 3", "ffmpeg ended with status 3"),
        ("echo '[error] old' >&2; kill -9 $$", "ffmpeg was killed by SIGKILL"),
    ],
)
def test_an_end_is_explained(script: str, ending: str) -> None:
    assert finished(script).ending() == ending


def test_what_it_says_is_kept_within_bounds() -> None:
    process = finished("i=0; while [ $i -lt 300 ]; do echo line $i >&2; i=$((i+1)); done; head -c 9000 /dev/zero >&2")
    assert len(process.lines) == LOG_LINES_MAX
    assert max(len(line) for line in process.lines) <= LINE_BYTES_MAX


def test_a_process_that_takes_no_hint_is_killed() -> None:
    process = Ffmpeg(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"], {"PATH": os.environ["PATH"]})
    time.sleep(0.2)
    started = time.monotonic()
    process.stop(0.3)
    assert not process.running and time.monotonic() - started < 3
    assert process.ending() == f"ffmpeg was killed by {signal.SIGKILL.name}"


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
    process = Child(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, secrets=["my-secret"])
    process.stdout.read()
    process.stop(5)
    assert process.ending() == "ffmpeg ended with status 1: srt://h:1?*** refused ***"


def test_programs_run_within_limits_and_end_with_the_worker() -> None:
    argv = bounded(["ffmpeg", "-version"], cores=2)
    assert argv[:3] == ["setpriv", "--pdeathsig", "KILL"] and argv[-3:] == ["--", "ffmpeg", "-version"]
    assert f"--as={6 << 30}" in argv and "--core=0" in argv
    allowed = subprocess.run(bounded(["sh", "-c", "ulimit -n; ulimit -c; ulimit -f"]), capture_output=True, check=True)
    assert allowed.stdout.split() == [b"256", b"0", str((512 << 20) // 512).encode()]
