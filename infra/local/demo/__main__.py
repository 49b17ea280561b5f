"""`make demo`: the product at work. Starts the platform, puts a stream live and plays it in mpv until points run out.

It stops what it started and leaves alone what ran before. `DEMO_SOURCE=path` plays a file of yours.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.local import stack
from infra.local.demo.clip import Source, SourceError, find_source
from infra.local.demo.operator import Operator, OperatorError
from infra.local.layout import PORT_DEFAULT, Layout, LayoutError, environment, layout_from
from infra.local.processes.locking import LockedError
from infra.local.processes.supervision import SupervisionError, Supervisor
from infra.local.setup import seed

MILLIPOINTS = 100_000
OUT_OF_POINTS = 3
PLAYER_STOP_S_MAX = 20.0
LOGIN_S_MAX = 30.0


def demo(layout: Layout) -> int:
    """Run it to its end; answers the exit status: 0 if the points ran out or the viewer quit."""
    began = time.monotonic()
    with ExitStack() as undo:
        source = find_source(layout.media_dir, os.environ.get("DEMO_SOURCE"))
        if Supervisor(layout).pid() is None:
            undo.callback(stack.down, layout)
        stack.up(layout)
        layout = stack.recorded(layout)
        operator = Operator(layout.url)
        undo.callback(operator.close)
        _prepare(operator, source, undo)
        player = Player(layout)
        undo.callback(player.run, "logout")
        player.login()
        print(f"Ready after {time.monotonic() - began:.0f} s. Playing: `player play {seed.STREAM_ID}`\n", flush=True)
        status = player.play()
        print(_last_words(status, layout), flush=True)
    return 0 if status in (0, OUT_OF_POINTS) else status


def _prepare(operator: Operator, source: Source, undo: ExitStack) -> None:
    print(f"\nPutting {seed.STREAM_ID} live: {source.title}", flush=True)
    operator.set_balance(operator.viewer_id(), MILLIPOINTS)
    if operator.desired_state() != "live":
        undo.callback(_try, lambda: operator.set_state("stopped"))
    operator.show(source)
    print(f"  live after {operator.wait_until_live():.1f} s", flush=True)
    points = MILLIPOINTS // 1000
    print(f"The viewer {seed.VIEWER_EMAIL} has {points} points; a minute costs 60, so this ends after {points} s.")


class Terminated(KeyboardInterrupt):
    """Ended by a signal that, unlike Ctrl-C, the player has not got by itself."""


class Player:
    """The real `player` command with a login of its own: the user's own login and keyring are not touched."""

    def __init__(self, layout: Layout) -> None:
        home = layout.state_dir / "demo-home"
        inherited = {key: value for key, value in environment(layout, os.environ).items() if not key.startswith("AWS_")}
        self._environ = inherited | {
            "TOLLCAST_SERVER": layout.url,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        self._command = [sys.executable, "-m", "player"]

    def login(self) -> None:
        """Log the demo viewer in. Raises `OperatorError`."""
        self.run("login", "--email", seed.VIEWER_EMAIL, "--password-stdin", stdin=seed.VIEWER_PASSWORD, needed=True)

    def run(self, *arguments: str, stdin: str = "", needed: bool = False) -> None:
        """Run a short command. Raises `OperatorError` if it fails and is needed."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LOGIN_S_MAX,
        )
        if needed and done.returncode:
            raise OperatorError(f"`player {arguments[0]}` failed: {done.stderr.strip()}")

    def play(self) -> int:
        """Play in the foreground until the end; answers the player's exit status."""
        process = subprocess.Popen([*self._command, "play", seed.STREAM_ID], env=self._environ)
        try:
            return process.wait()
        except BaseException as interruption:
            # It stops its session and gets the refund, before the platform is stopped under it.
            if not isinstance(interruption, KeyboardInterrupt) or isinstance(interruption, Terminated):
                process.terminate()
            with _ignored():
                try:
                    process.wait(PLAYER_STOP_S_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            raise


def _last_words(status: int, layout: Layout) -> str:
    if status == OUT_OF_POINTS:
        said = "That was the demo: at zero points the gateway refused, and mpv ended (balance_exhausted)."
    elif status == 0:
        said = "You stopped watching; what was not watched of the last lease was given back."
    else:
        return f"The player ended with status {status}; `player play --help` lists what that means."
    command = str(Path(sys.executable).with_name("player"))
    if layout.port != PORT_DEFAULT:
        command += f" --server {layout.url}"
    return f"""
{said}
How to go on:
  make up                                   the platform, in the background
  {command} login     {seed.VIEWER_EMAIL} / {seed.VIEWER_PASSWORD}
  {command} streams   what is on
  {command} ledger    what was paid, lease by lease
  DEMO_SOURCE=film.mp4 make demo            the same with a film of yours
"""


def _try(action: Callable[[], None]) -> None:
    try:
        action()
    except OperatorError as error:
        print(f"{error}", file=sys.stderr)


@contextmanager
def _ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def main() -> int:
    """The command line. 0 if the demo ran to its end, 130 after Ctrl-C, else 1 or the player's status."""

    def terminated(*_: object) -> None:
        raise Terminated

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, terminated)
    try:
        return demo(layout_from(os.environ))
    except (stack.StackError, LockedError, SupervisionError, LayoutError, OperatorError, SourceError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; what was started is stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
