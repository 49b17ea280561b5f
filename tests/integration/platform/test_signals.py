"""A child process that is interrupted at the moment when it is created."""

import os
import signal
import subprocess
import sys

import pytest

from infra.local.processes import process_groups, signals


def test_a_child_does_not_outlive_an_interruption_that_arrives_while_it_is_created(monkeypatch, tmp_path, request):
    created = []

    class InterruptedWhileCreated(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            created.append(self.pid)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", InterruptedWhileCreated)
    # As on a terminal, also where the tests run in the background and Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        (tmp_path / "output").open("w") as output,
        pytest.raises(KeyboardInterrupt),
        signals.child_process(sleep, cwd=str(tmp_path), env=os.environ, output=output),
    ):
        pytest.fail("the block must not run")
    assert len(created) == 1
    assert process_groups.find_process(created[0]) is None
