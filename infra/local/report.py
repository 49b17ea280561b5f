"""What people see of the platform: where it is, how its parts are, what they log."""

import os
import sys
from pathlib import Path

from infra.local.layout import Layout
from infra.local.processes.health import checks
from infra.local.processes.supervision import PARTS, PartState, Supervisor
from infra.local.setup import seed

TAIL_LINES = 25
TAIL_BYTES = 16_384


def welcome(layout: Layout) -> str:
    """What `make up` ends with."""
    return f"""
Tollcast runs at {layout.url}  (the API: /openapi.json, media: /play/)
  for senders    {layout.rtmp_url}  (RTMP, to streams that listen)
  AWS emulator   {layout.emulator_url}  (for development; no real money)
  viewer         {seed.VIEWER_EMAIL} / {seed.VIEWER_PASSWORD}
  admin          {seed.ADMIN_EMAIL} / {seed.ADMIN_PASSWORD}
  stream         {seed.STREAM_ID}
  state and logs {layout.state_dir}
`make status` shows the parts, `make logs` follows them, `make down` stops them."""


def status(layout: Layout) -> int:
    """Print each part's state and whether it answers. 0 if all do, else 1."""
    supervisor = Supervisor(layout)
    if supervisor.pid() is None or not supervisor.answers():
        print(f"The platform of {layout.state_dir} does not run. `make up` starts it.")
        return 1
    states, well = supervisor.states(), True
    wanted = checks(layout)
    for part in PARTS:
        healthy = wanted[part]()
        well = well and healthy
        print(_line(states[part], healthy))
    print(f"{layout.url}, {layout.rtmp_url}, state in {layout.state_dir}")
    return 0 if well else 1


def _line(state: PartState, healthy: bool) -> str:
    since = f"pid {state.pid}, up {state.up_s} s" if state.pid else ""
    return f"{state.name:<10} {'healthy' if healthy else 'not healthy':<12} {state.state:<9} {since}".rstrip()


def tail(layout: Layout, part: str) -> str:
    """The last lines of a part's log."""
    path = layout.log_dir / f"{part}.log"
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    except FileNotFoundError:
        lines = ["(nothing was logged)"]
    return f"{path}\n" + "\n".join("    " + line for line in lines)


def follow(layout: Layout, parts: list[str]) -> None:
    """Become `tail -F` on the logs of all parts, or of those named."""
    unknown = sorted(set(parts) - {*PARTS, "access", "supervisord"})
    if unknown:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join((*PARTS, 'access', 'supervisord'))}")
    paths: list[Path] = [layout.log_dir / f"{part}.log" for part in parts or (*PARTS, "access")]
    found = [str(path) for path in paths if path.exists()]
    if not found:
        sys.exit(f"nothing has been logged in {layout.log_dir}; `make up` starts the platform")
    os.execvp("tail", ["tail", "-n", "20", "-F", *found])
