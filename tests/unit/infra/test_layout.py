import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

import worker.config
from chalicelib import config
from infra.local.layout import Layout, environment, layout_from
from infra.local.processes import locking, process_groups
from infra.local.processes.locking import LockedError, exclusive_lock

layout = pytest.fixture(lambda tmp_path: Layout(state_dir=tmp_path / "state", port=1, emulator_port=2, rtmp_port=3))


def test_defaults_and_variables(tmp_path):
    default = layout_from({})
    assert (default.port, default.emulator_port, default.rtmp_port) == (8080, 4566, 1935)
    assert default.state_dir.name == ".local" and default.prometheus_port == 9090
    ports = {"TOLLCAST_PORT": "9000", "TOLLCAST_EMULATOR_PORT": "9001", "TOLLCAST_RTMP_PORT": "9002"}
    chosen = layout_from({"TOLLCAST_STATE_DIR": str(tmp_path), **ports})
    assert (chosen.port, chosen.emulator_port, chosen.rtmp_port) == (9000, 9001, 9002)
    assert chosen.state_dir == tmp_path.resolve() and chosen.name != default.name


def test_socket_paths_are_short_for_any_state_directory(layout):
    assert len(str(replace(layout, state_dir=Path("/" + "long/" * 60)).socket("supervisor"))) < 100


def test_the_callers_own_settings_do_not_leak(layout):
    caller = {"AWS_PROFILE": "company", "AWS_SESSION_TOKEN": "secret", "TOLLCAST_STAGE": "prod", "HOME": "/h"}
    env = environment(layout, caller)
    assert env["HOME"] == "/h" and "AWS_PROFILE" not in env and "AWS_SESSION_TOKEN" not in env
    assert (env["AWS_ENDPOINT_URL"], config.load(env).stage) == ("http://127.0.0.1:2", "local")


def test_some_settings_may_be_chosen(layout):
    default = config.load(environment(layout, {}))
    assert (default.sessions_per_user_max, default.ingest_networks) == (3, ())
    assert default.denylist_dir == layout.denylist_dir
    caller = {"TOLLCAST_SESSIONS_PER_USER_MAX": "8", "TOLLCAST_INGEST_PORTS": "9443", "TOLLCAST_LISTEN_HOST": "0.0.0.0"}
    env = environment(layout, {**caller, "TOLLCAST_INGEST_NETWORKS": "10.20.0.0/16"})
    chosen = config.load(env)
    assert (chosen.sessions_per_user_max, chosen.ingest_ports) == (8, frozenset({9443}))
    assert str(chosen.ingest_networks[0]) == "10.20.0.0/16" and worker.config.load(env).listen_host == "0.0.0.0"


def test_the_worker_reads_from_the_address_of_the_senders(layout):
    env = environment(layout, {})
    assert worker.config.load(env).rtmp_url == "rtmp://127.0.0.1:3/live"
    assert (config.load(env).rtmp_port, config.load(env).ingest_host) == (3, "127.0.0.1")


def test_a_run_directory_that_others_can_use_is_refused(layout, tmp_path):
    layout = replace(layout, shared_run_dir=tmp_path / "run")
    layout.make_directories()
    assert layout.run_dir.stat().st_mode & 0o777 == 0o700
    layout.run_dir.chmod(0o755)
    with pytest.raises(config.ConfigError):
        layout.make_directories()
    layout.run_dir.rmdir()
    layout.run_dir.symlink_to(tmp_path)
    with pytest.raises(config.ConfigError):
        layout.make_directories()


def test_a_group_of_another_boot_or_leader_has_no_members(tmp_path):
    process_groups.record_own_group(tmp_path, "part")
    recorded = process_groups.recorded_group(tmp_path, "part")
    assert os.getpid() not in process_groups.members(recorded)
    changed = replace(recorded, leader_start=recorded.leader_start + 1)
    if process_groups.find_process(recorded.group):
        assert process_groups.members(changed) == []
    file = tmp_path / "part.group"
    for text in (file.read_text().replace(recorded.boot_id, "another"), "{"):
        file.write_text(text)
        assert process_groups.recorded_group(tmp_path, "part") is None
    assert process_groups.end_group(tmp_path, "part", grace_s=0) == 0


def test_one_command_at_a_time_has_the_lock(layout, monkeypatch, capsys):
    monkeypatch.setattr(locking, "LOCK_S_MAX", 0.1)

    def is_free_elsewhere():
        with ThreadPoolExecutor(1) as pool, suppress(LockedError):
            return pool.submit(lock).result()

    def lock():
        with exclusive_lock(layout):
            return True

    with exclusive_lock(layout):
        assert not is_free_elsewhere() and "Waiting for it" in capsys.readouterr().out
    assert is_free_elsewhere()
