"""`make demo` until the player plays, and Ctrl-C after that. (tests/e2e has the end of the points.)"""

import os
import signal
import subprocess
import sys

from infra.local.layout import ROOT
from tests.fixtures.stack import new_stack
from tests.integration.platform.test_stack import assert_nothing_is_left


def start_demo(platform, **environ):
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    argv, env = [sys.executable, "-m", "infra.local.demo"], platform.caller_environ | environ
    return subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True, **pipes)


def test_ctrl_c_while_playing_leaves_nothing(tmp_path):
    film = tmp_path / "a film.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=2", "-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(film)], check=True, timeout=30)
    platform = new_stack(tmp_path / "state")
    demo = start_demo(platform, DEMO_SOURCE=str(film))
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if line.startswith("Playing: ") and "points" in line:
            os.killpg(demo.pid, signal.SIGINT)  # as a terminal sends it
            break
    rest, _ = demo.communicate(timeout=60)
    text = "".join(seen) + rest
    assert demo.returncode == 130, text
    assert "Putting stream-1 live: a film" in text
    assert (platform.layout.media_dir / "demo-source.mp4").samefile(film)
    assert "(viewer_stopped)" in text or "Interrupted" in text
    assert_nothing_is_left(platform)


def test_an_invalid_source_is_named(tmp_path):
    platform = new_stack(tmp_path / "state")
    (tmp_path / "notes.mp4").write_text("no film")
    for name in ("missing.mp4", "notes.mp4"):
        demo = start_demo(platform, DEMO_SOURCE=str(tmp_path / name))
        text, _ = demo.communicate(timeout=60)
        assert demo.returncode == 1
        assert "DEMO_SOURCE is" in text
    assert_nothing_is_left(platform)
