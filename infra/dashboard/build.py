"""Build the dashboard: packages, the API's document, types, bundle. Each step runs only if its input changed.

One build runs at a time. The bundle is made in another directory and renamed, so nginx never serves half of one.
"""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from infra.dashboard.project import Project
from infra.local.processes.signals import ignored_signals

NPM = Path(sys.executable).with_name("npm")
# The wheel's npm would know neither the certificates nor the registry that this machine was given.
AS_THE_MACHINE = {"NODE_USE_SYSTEM_CA": "1", "NPM_CONFIG_GLOBALCONFIG": "/etc/npmrc"}
# Beside the start of the platform, all of it has the lowest priority.
INSTALL_S_MAX, BUILD_S_MAX, WAIT_S_MAX = 600.0, 300.0, 900.0
SHOWN_LINES_MAX = 15
COMPRESSED = {".css", ".html", ".js", ".json", ".svg"}
# npm alone would try for minutes.
REGISTRY = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000")
THIS = Project()

Say = Callable[[str], None]


class DashboardError(Exception):
    """The dashboard was not built; the message says why and what to do."""


def build(say: Say, project: Project = THIS) -> None:
    """Build the dashboard unless it is current. Raise `DashboardError`."""
    if project.is_current():
        return
    with _alone(project, say):
        if project.is_current():  # Another process built it meanwhile.
            return
        quick = project.quick_hash()
        _install(project, say)
        write_document(project)
        exact = project.exact_hash()
        if project.recorded().get("exact") != exact:
            _bundle(project, say)
        project.record(quick=quick, exact=exact)


def install_packages(say: Say = print, project: Project = THIS) -> None:
    """Install the packages of the lock file unless they are installed. Raise `DashboardError`."""
    with _alone(project, say):
        _install(project, say)


def write_document(project: Project = THIS) -> None:
    """Write the API's document."""
    # The import takes most of a second.
    from chalicelib.api.openapi import document

    project.document.write_text(json.dumps(document(), indent=1) + "\n")


def run_script(*arguments: str, project: Project = THIS) -> None:
    """Run a script of package.json. Raise `DashboardError` with the beginning of its output."""
    _run(project, "npm run", [str(NPM), "run", "--silent", *arguments], BUILD_S_MAX)


def _install(project: Project, say: Say) -> None:
    record = project.packages / ".tollcast-lock"
    if record.is_file() and record.read_text() == project.packages_hash():
        return
    say("installing the packages of admin/package-lock.json (10 s to a minute)")
    command = [str(NPM), "ci", "--no-audit", "--no-fund", *REGISTRY]
    try:
        _run(project, "npm ci", command, INSTALL_S_MAX)
    except DashboardError as error:
        raise DashboardError(
            f"{error}\nThe packages of the dashboard could not be installed. Can this machine reach npm's registry"
            " (`npm config get registry`)? Behind a proxy, set https_proxy. Then run `make up` again."
        ) from None
    project.packages.mkdir(exist_ok=True)
    record.write_text(project.packages_hash())


def _bundle(project: Project, say: Say) -> None:
    say("building it (some seconds)")
    began = time.monotonic()
    new, old = project.work / "new", project.work / "old"
    shutil.rmtree(new, ignore_errors=True)
    run_script("build", "--", "--outDir", str(new), "--emptyOutDir", project=project)
    _compress(new)
    shutil.rmtree(old, ignore_errors=True)
    if project.dist.exists():
        project.dist.rename(old)
    new.rename(project.dist)
    shutil.rmtree(old, ignore_errors=True)
    say(f"built in {time.monotonic() - began:.1f} s")


def _compress(directory: Path) -> None:
    """Write a compressed copy beside each text, which nginx sends in its place."""
    for path in directory.rglob("*"):
        if path.suffix in COMPRESSED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


@contextmanager
def _alone(project: Project, say: Say) -> Iterator[None]:
    project.work.mkdir(exist_ok=True)
    lock = FileLock(project.work / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("waiting for another build of it")
        try:
            lock.acquire(timeout=WAIT_S_MAX)
        except Timeout:
            raise DashboardError(f"Another build of the dashboard took longer than {WAIT_S_MAX:.0f} s.") from None
    try:
        yield
    finally:
        lock.release()


def _run(project: Project, name: str, command: list[str], limit_s: float) -> None:
    """Run a command of npm in admin/. Raise `DashboardError` if it fails or takes longer than `limit_s`."""
    path = os.pathsep.join([str(NPM.parent), os.environ.get("PATH", os.defpath)])
    log = project.work / f"{name.replace(' ', '-')}.log"
    try:
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=project.admin,
                env={**AS_THE_MACHINE, **os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # npm starts processes that start others. They end with their group.
                start_new_session=True,
            )
    except OSError as error:
        raise DashboardError(f"{command[0]} does not run: {error.strerror}. `make setup` installs it.") from None
    try:
        status = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        raise DashboardError(f"`{name}` took longer than {limit_s:.0f} s. Its output is in {log}.") from None
    finally:
        if process.returncode is None:
            with ignored_signals():
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if status:
        # The first errors name the cause; npm's advice follows.
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][:SHOWN_LINES_MAX]
        raise DashboardError("\n  ".join([f"`{name}` failed with status {status}. The beginning of {log}:", *lines]))
