"""Start, stop and show the whole local platform: `python -m infra.local.stack up|down|status|logs|run`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.config import ConfigError
from chalicelib.settings_table import PORT, SETTINGS, Part
from infra.dashboard.background import background_build
from infra.local import report
from infra.local.layout import ROOT, Layout, environment, layout_from
from infra.local.processes import ports
from infra.local.processes.health import checks, optional_checks
from infra.local.processes.locking import LockedError, exclusive_lock
from infra.local.processes.signals import child_process, ignored_signals
from infra.local.processes.supervision import OPTIONAL_PARTS, PARTS, SupervisionError, Supervisor

HEALTHY_S_MAX = 45.0
SEED_S_MAX = 90.0
# supervisord retries without end; a part that failed this often at start-up does not recover.
FAILURES_MAX = 3
# The fields of the layout that are ports, and their variables.
PORT_NAMES = {each.field: each.name for each in SETTINGS[Part.LOCAL] if each.kind is PORT}
# The ports of optional parts. They have to be free only if the part is started.
OPTIONAL_PORTS = {"prometheus": "prometheus_port"}
# The port of `make admin` has to be free for that command only.
PORTS = {
    name: variable for name, variable in PORT_NAMES.items() if name not in (*OPTIONAL_PORTS.values(), "dashboard_port")
}


class StackError(Exception):
    """The platform cannot be started or stopped; the message says why and what to do."""


def up(layout: Layout, extra: Sequence[str] = ()) -> None:
    """Start the parts that do not run, apply migrations, and return when every part answers. Raise `StackError`.

    `extra` are optional parts to start as well.
    """
    unknown = sorted(set(extra) - set(OPTIONAL_PARTS))
    if unknown:
        raise StackError(f"There is no optional part {', '.join(unknown)}. Allowed: {', '.join(OPTIONAL_PARTS)}.")
    layout.make_directories()
    with exclusive_lock(layout):
        layout.make_directories()  # A `make down` that held the lock before removed some.
        supervisor = Supervisor(layout)
        running = supervisor.pid() is not None
        if running:
            requested, layout = layout, recorded(layout)
            print(f"The platform of {layout.state_dir} is already running. Checking it.", flush=True)
            if _ports(requested) != _ports(layout):
                print(f"It keeps its ports {_listed(layout)} until `make down`.", flush=True)
        else:
            supervisor.clear()
            try:
                _check_ports(layout)
            except StackError:
                supervisor.stop()  # Nothing runs, but the run directory was created.
                raise
        try:
            _bring_up(layout, supervisor, running=running)
            _add(layout, supervisor, extra)
        except BaseException:
            # A platform that ran before stays.
            if not running:
                with ignored_signals():
                    print("Stopping what was started.", flush=True)
                    supervisor.stop()
            raise
    print(report.welcome(layout), flush=True)
    for part in extra:
        print(report.optional(layout, part), flush=True)


def _add(layout: Layout, supervisor: Supervisor, extra: Sequence[str]) -> None:
    """Start optional parts, and return when they answer."""
    for part in extra:
        port = OPTIONAL_PORTS.get(part)
        if port and not supervisor.states()[part].pid:
            _check_free(PORT_NAMES[port], getattr(layout, port))
        supervisor.start_part(part)
        _wait(layout, supervisor, part, optional_checks(layout)[part])


def _bring_up(layout: Layout, supervisor: Supervisor, *, running: bool) -> None:
    env = environment(layout, os.environ)
    if not running:
        for part in ("scheduler", "refusals", "usage"):
            (layout.run_dir / f"{part}.alive").unlink(missing_ok=True)
        (layout.work_dir / f"{layout.worker_id}.alive").unlink(missing_ok=True)
        (layout.state_dir / "stack.json").write_text(json.dumps({name: getattr(layout, name) for name in PORT_NAMES}))
        supervisor.start(env)
    health_checks = checks(layout)
    for part in PARTS:
        supervisor.start_part(part)
        if part == "emulator":
            _wait(layout, supervisor, "emulator", health_checks["emulator"])
            _prepare(layout, env)
    for part in PARTS[1:]:
        _wait(layout, supervisor, part, health_checks[part])


def _prepare(layout: Layout, env: dict[str, str]) -> None:
    print("  migrations and seed", end=" ... ", flush=True)
    seed = [sys.executable, "-m", "infra.local.setup.seed"]
    with (
        tempfile.TemporaryFile("w+") as output,
        child_process(seed, cwd=str(ROOT), env=env, output=output) as process,
    ):
        status = process.wait(SEED_S_MAX)
        output.seek(0)
        text = output.read()
    if status:
        print("failed", flush=True)
        raise StackError(f"The migrations or the seed failed:\n{text[-3000:]}")
    print("ok", flush=True)
    print(text, end="", flush=True)


def _wait(layout: Layout, supervisor: Supervisor, part: str, healthy: Callable[[], bool]) -> None:
    print(f"  {part}", end=" ... ", flush=True)
    began = time.monotonic()
    failures, before = 0, ""
    while not healthy():
        state, waited_s = supervisor.states()[part].state, time.monotonic() - began
        failures += state != before and state in ("BACKOFF", "FATAL")
        before = state
        if waited_s > HEALTHY_S_MAX or failures >= FAILURES_MAX or state == "FATAL":
            print(f"not healthy after {waited_s:.0f} s ({state})", flush=True)
            raise StackError(f"{part} did not start. The end of its log:\n{report.tail(layout, part)}")
        time.sleep(0.1)
    print(f"ok ({time.monotonic() - began:.1f} s)", flush=True)


def down(layout: Layout) -> None:
    """Stop all parts, the emulator last. Do nothing if none runs."""
    if not layout.run_dir.exists():
        print(f"The platform of {layout.state_dir} does not run.")
        return
    layout.make_directories()
    with exclusive_lock(layout), ignored_signals():
        supervisor = Supervisor(layout)
        running, began = supervisor.pid() is not None, time.monotonic()
        if running:
            print(f"Stopping the platform of {layout.state_dir}", end=" ... ", flush=True)
        left = supervisor.stop()
        if running:
            print(f"ok ({time.monotonic() - began:.1f} s). Its state is kept.")
        else:
            ended = f" Ended {left} processes that a crash left behind." if left else ""
            print(f"The platform of {layout.state_dir} does not run.{ended}")


def run(layout: Layout, module: list[str]) -> int:
    """Run a Python module with its arguments in the platform's environment. Return its exit status."""
    done = subprocess.run([sys.executable, "-m", *module], env=environment(layout, os.environ), cwd=ROOT, check=False)
    return done.returncode


def recorded(layout: Layout) -> Layout:
    """Return the layout with the ports of the platform's last start."""
    try:
        known = json.loads((layout.state_dir / "stack.json").read_text())
        # One that an earlier version has not recorded keeps its setting.
        found: dict[str, Any] = {name: int(known[name]) for name in PORT_NAMES if name in known or name in PORTS}
        return replace(layout, **found)
    except (FileNotFoundError, ValueError, KeyError):
        return layout


def _check_ports(layout: Layout) -> None:
    wanted = _ports(layout)
    if len(set(wanted.values())) < len(wanted):
        raise StackError(f"{', '.join(wanted)} are {_listed(layout)}. They must differ.")
    for name, port in wanted.items():
        _check_free(name, port)


def _check_free(name: str, port: int) -> None:
    if not ports.is_free(port):
        raise StackError(
            f"Port {port} is in use by {ports.holder(port)}. End that process, or choose another port: "
            f"{name}={port + 1000 if port < 64000 else port - 1000} make up"
        )


def _ports(layout: Layout) -> dict[str, int]:
    """Return each port by the name of its environment variable."""
    return {variable: getattr(layout, name) for name, variable in PORTS.items()}


def _listed(layout: Layout) -> str:
    return ", ".join(map(str, _ports(layout).values()))


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Run the command line. Return 0 on success, 1 on failure, 2 for a wrong command, 130 after Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    command = arguments[0] if arguments else ""
    try:
        layout = layout_from(os.environ)
        if command == "up":
            with background_build() as dashboard:
                up(layout, arguments[1:])
                print(report.dashboard(recorded(layout), built=dashboard.finish()), flush=True)
        elif command == "down":
            down(layout)
        elif command == "status":
            return report.status(recorded(layout))
        elif command == "logs":
            report.follow(layout, arguments[1:])
        elif command == "run" and len(arguments) > 1:
            return run(recorded(layout), arguments[1:])
        else:
            commands = "up [prometheus] [canary]|down|status|logs [part ...]|run module [argument ...]"
            print(f"usage: python -m infra.local.stack {commands}", file=sys.stderr)
            return 2
    except (StackError, ConfigError, LockedError, SupervisionError, OSError, subprocess.TimeoutExpired) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
