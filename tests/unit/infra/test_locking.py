import threading

from infra.local.layout import Layout
from infra.local.processes import locking
from infra.local.processes.locking import LockedError, exclusive_lock


def test_one_command_at_a_time_has_the_lock(tmp_path, monkeypatch, capsys):
    layout = Layout(state_dir=tmp_path, port=1, emulator_port=2)
    monkeypatch.setattr(locking, "LOCK_S_MAX", 0.1)
    errors = []

    def try_lock():
        try:
            with exclusive_lock(layout):
                pass
        except LockedError as error:
            errors.append(error)

    def try_lock_elsewhere():
        thread = threading.Thread(target=try_lock)
        thread.start()
        thread.join()

    with exclusive_lock(layout):
        try_lock_elsewhere()
    assert len(errors) == 1 and "Waiting for it" in capsys.readouterr().out
    try_lock_elsewhere()
    assert len(errors) == 1
