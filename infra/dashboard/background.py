"""A build of the dashboard beside the start of the platform, at the lowest priority."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from infra.dashboard.project import Project
from infra.local.layout import ROOT
from infra.local.processes.signals import deferred_signals, ignored_signals, wait_or_kill

PRIORITY = 19


class BackgroundBuild:
    """A build that runs in a process of its own, or none if the dashboard is current."""

    def __init__(self, process: subprocess.Popen[str] | None) -> None:
        self._process = process

    @property
    def is_running(self) -> bool:
        """Whether the build has not ended."""
        return self._process is not None and self._process.poll() is None

    def finish(self) -> bool:
        """Print the lines of the build until its end. Return whether there is a current dashboard."""
        if self._process is None:
            return True
        assert self._process.stdout is not None
        for line in self._process.stdout:
            print(f"  dashboard: {line}", end="", flush=True)
        return self._process.wait() == 0

    def stop(self) -> None:
        """End a build that still runs."""
        if self._process and self.is_running:
            with ignored_signals():
                self._process.terminate()
                wait_or_kill(self._process)


@contextmanager
def background_build() -> Iterator[BackgroundBuild]:
    """Start a build if one is needed. It ends with the block at the latest."""
    build = BackgroundBuild(None)
    try:
        if not Project().is_current():
            with deferred_signals():
                build = BackgroundBuild(
                    subprocess.Popen(
                        [sys.executable, "-m", "infra.dashboard", "build"],
                        cwd=ROOT,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                        preexec_fn=_at_lowest_priority,
                        # Ctrl-C reaches the parent alone, which ends it.
                        start_new_session=True,
                    )
                )
        yield build
    finally:
        build.stop()


def _at_lowest_priority() -> None:
    os.nice(PRIORITY)
