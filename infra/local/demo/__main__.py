"""`make demo`: start the platform, put a stream live and play it in mpv until the points run out.

It stops what it started and leaves a platform that ran before. `DEMO_SOURCE=path` plays your own file.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from chalicelib.config import ConfigError
from infra.dashboard.background import background_build
from infra.local import stack
from infra.local.demo.clip import Source, SourceError, find_source
from infra.local.demo.operator import Operator, OperatorError
from infra.local.demo.player import Player, Terminated
from infra.local.layout import Layout, layout_from
from infra.local.processes.locking import LockedError
from infra.local.processes.supervision import SupervisionError, Supervisor
from infra.local.setup import seed

MILLIPOINTS = 100_000
OUT_OF_POINTS = 3


def demo(layout: Layout) -> int:
    """Run the demo. Return the exit status: 0 if the points ran out or the viewer quit."""
    began = time.monotonic()
    with ExitStack() as undo:
        dashboard = undo.enter_context(background_build())
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
        later = ", in a minute" if dashboard.is_running else ""
        print(f"The dashboard is at {layout.url}/admin/ ({seed.ADMIN_EMAIL} / {seed.ADMIN_PASSWORD}){later}.")
        print(f"Ready after {time.monotonic() - began:.0f} s. Playing: `player play {seed.STREAM_ID}`\n", flush=True)
        status = player.play()
        dashboard.finish()
        print(_summary(status, layout), flush=True)
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


def _summary(status: int, layout: Layout) -> str:
    if status == OUT_OF_POINTS:
        text = "The demo has ended: at zero points the gateway refused, and mpv ended (balance_exhausted)."
    elif status == 0:
        text = "You stopped watching. The unused part of the last lease was refunded."
    else:
        return f"The player ended with status {status}. `player play --help` lists the statuses."
    command = str(Path(sys.executable).with_name("player"))
    if layout.url != layout_from({}).url:
        command += f" --server {layout.url}"
    return f"""
{text}
Next steps:
  make up                                   the platform, in the background, with the dashboard
  {layout.url}/admin/              the dashboard, after `make up`: log in as {seed.ADMIN_EMAIL} / {seed.ADMIN_PASSWORD},
                                            put a stream live, see who watches and what it earns
  {command} login     {seed.VIEWER_EMAIL} / {seed.VIEWER_PASSWORD}
  {command} streams   the streams that are live
  {command} ledger    the charges, lease by lease
  DEMO_SOURCE=film.mp4 make demo            the same with your own film
"""


def _try(action: Callable[[], None]) -> None:
    try:
        action()
    except OperatorError as error:
        print(f"{error}", file=sys.stderr)


def main() -> int:
    """Run the command line. Return 0 if the demo ran to its end, 130 after Ctrl-C, else 1 or the player's status."""

    def terminated(*_: object) -> None:
        raise Terminated

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, terminated)
    try:
        return demo(layout_from(os.environ))
    except (stack.StackError, LockedError, SupervisionError, ConfigError, OperatorError, SourceError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. The parts that were started are stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
