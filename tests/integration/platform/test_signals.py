"""What an interruption leaves behind, at the moment when it is hardest to clean up."""

import os
import signal
import subprocess
import sys

import pytest

from infra.local.processes import locking, process_groups


def test_a_child_does_not_outlive_an_interruption_that_comes_while_it_is_made(monkeypatch, tmp_path, request):
    made = []

    class InterruptedWhileMaking(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self.pid)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", InterruptedWhileMaking)
    # As on a terminal, also where the tests run in the background and Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        (tmp_path / "output").open("w") as output,
        pytest.raises(KeyboardInterrupt),
        locking.child(sleep, cwd=str(tmp_path), env=os.environ, output=output),
    ):
        pytest.fail("the block must not be reached")
    assert len(made) == 1
    assert process_groups.find_process(made[0]) is None
