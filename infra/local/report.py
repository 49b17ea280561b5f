"""Texts for people: where the platform is, the state of its parts, and their logs."""

import os
import sys
from pathlib import Path

from infra.local.layout import Layout
from infra.local.processes.health import checks, optional_checks
from infra.local.processes.supervision import ALL_PARTS, OPTIONAL_PARTS, PARTS, PartState, Supervisor
from infra.local.setup import seed

TAIL_LINES = 25
TAIL_BYTES = 16_384


def welcome(layout: Layout) -> str:
    """Return the last text of `make up`."""
    return f"""
Tollcast runs at {layout.url}  (the API: /openapi.json, media: /play/)
  for senders    {layout.rtmp_url}  (RTMP, to streams that listen)
  AWS emulator   {layout.emulator_url}  (for development; no real money)
  viewer         {seed.VIEWER_EMAIL} / {seed.VIEWER_PASSWORD}
  admin          {seed.ADMIN_EMAIL} / {seed.ADMIN_PASSWORD}
  stream         {seed.STREAM_ID}
  state and logs {layout.state_dir}
`make status` shows the parts, `make logs` follows them, `make down` stops them."""


def dashboard(layout: Layout, *, built: bool) -> str:
    """Return where the dashboard is, or what to do without it."""
    if built:
        return f"The dashboard is at {layout.url}/admin/"
    return "The dashboard is missing: the lines above say why. Everything else runs. `make up` builds it again."


def optional(layout: Layout, part: str) -> str:
    """Return where an optional part is."""
    texts = {
        "prometheus": f"prometheus runs at {layout.prometheus_url}",
        "canary": "canary watches every 5 minutes: `make logs PARTS=canary`, `tollcast-admin canary`",
    }
    return texts[part]


def status(layout: Layout) -> int:
    """Print each part's state and whether it is healthy. Return 0 if all parts are, else 1."""
    supervisor = Supervisor(layout)
    if supervisor.pid() is None or not supervisor.answers():
        print(f"The platform of {layout.state_dir} does not run. `make up` starts it.")
        return 1
    states, all_healthy = supervisor.states(), True
    health_checks = checks(layout) | optional_checks(layout)
    for part in (*PARTS, *(part for part in OPTIONAL_PARTS if part in states and states[part].pid)):
        healthy = health_checks[part]()
        all_healthy = all_healthy and healthy
        print(_line(states[part], healthy))
    print(f"{layout.url}, {layout.rtmp_url}, state in {layout.state_dir}")
    return 0 if all_healthy else 1


def _line(state: PartState, healthy: bool) -> str:
    since = f"pid {state.pid}, up {state.up_s} s" if state.pid else ""
    return f"{state.name:<10} {'healthy' if healthy else 'not healthy':<12} {state.state:<9} {since}".rstrip()


def tail(layout: Layout, part: str) -> str:
    """Return the path and the last lines of a part's log."""
    path = layout.log_dir / f"{part}.log"
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    except FileNotFoundError:
        lines = ["(the log is empty)"]
    return f"{path}\n" + "\n".join("    " + line for line in lines)


def follow(layout: Layout, parts: list[str]) -> None:
    """Become `tail -F` on the logs of all parts, or of those in `parts`."""
    allowed = (*ALL_PARTS, "access", "supervisord")
    unknown = sorted(set(parts) - set(allowed))
    if unknown:
        sys.exit(f"There is no log of {', '.join(unknown)}. There are {', '.join(allowed)}.")
    paths: list[Path] = [layout.log_dir / f"{part}.log" for part in parts or (*ALL_PARTS, "access")]
    found = [str(path) for path in paths if path.exists()]
    if not found:
        sys.exit(f"There are no logs in {layout.log_dir}. `make up` starts the platform.")
    os.execvp("tail", ["tail", "-n", "20", "-F", *found])
