"""The local platform: start, stop, crashes and interruptions."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import httpx
import psutil
import pytest

from infra.local.layout import ROOT
from infra.local.processes import signals
from infra.local.processes.health import checks
from infra.local.processes.ports import is_free
from infra.local.processes.supervision import PARTS, Supervisor
from tests.fixtures.ports import free_port
from tests.fixtures.stack import new_stack
from tests.fixtures.waiting import eventually

BACK_S_MAX = 20.0


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """A separate platform for this module, since its parts are killed."""
    made = new_stack(tmp_path_factory.mktemp("with space"))
    yield made
    made.command("down")


@pytest.fixture
def running(platform):
    if not is_healthy(platform):
        done = platform.command("up")
        assert done.returncode == 0, done.stdout + done.stderr
    return platform


def is_healthy(platform):
    """Return what `make status` does, without a process."""
    return all(check() for check in checks(platform.layout).values())


def leftovers(platform):
    """Return the processes that run for this platform."""
    directory = str(platform.layout.state_dir)
    return [
        each
        for each in psutil.process_iter(["cmdline", "environ"])
        # nginx overwrites its environment, but its command contains the directory.
        if (each.info["environ"] or {}).get("TOLLCAST_STATE_DIR") == directory
        or directory in " ".join(each.info["cmdline"] or [])
    ]


def assert_nothing_is_left(platform):
    assert leftovers(platform) == []
    layout = platform.layout
    assert all(is_free(port) for port in (layout.port, layout.emulator_port, layout.rtmp_port))


def test_up_prints_the_addresses_and_is_healthy(running):
    done = running.command("up")
    assert "already running" in done.stdout
    layout = running.layout
    addresses = (running.url, layout.rtmp_url, layout.emulator_url)
    for text in (*addresses, "demo@local / demo", "admin@local / admin", "stream-1"):
        assert text in done.stdout
    assert httpx.get(running.url + "/healthz").json()["status"] == "ok"
    status = running.command("status")
    assert status.returncode == 0
    assert [line.split()[0] for line in status.stdout.splitlines()[:-1]] == list(PARTS)
    # Commands run in its environment.
    done = running.command("run", "infra.commands.erase_user", "unknown@local")
    assert done.returncode == 1
    assert done.stderr.startswith("Not erased: There is no account with this email")


def test_it_listens_on_this_machine_only_and_no_client_reaches_the_signing_endpoint(running):
    layout = running.layout
    ports = (layout.port, layout.emulator_port, layout.rtmp_port)
    listening = [each.laddr for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    assert {each.ip for each in listening if each.port in ports} == {"127.0.0.1"}
    for path in ("/sign", "/verdict", "/denial", "/ingest", "/_sign", "/_verdict"):
        answer = httpx.get(running.url + path, headers={"X-Tollcast-Key": "streams/stream-1/index.m3u8"})
        assert answer.status_code == 404, path
        assert "x-tollcast-query" not in answer.headers
    assert layout.run_dir.stat().st_mode & 0o077 == 0


def test_a_file_that_the_worker_refuses_ends_the_demo_at_once_and_a_platform_that_ran_before_stays(running, tmp_path):
    film = tmp_path / "undecodable.avi"
    picture = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=2"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, "-c:v", "sgi", str(film)], check=True, timeout=30)
    argv, env = [sys.executable, "-m", "infra.local.demo"], running.caller_environ | {"DEMO_SOURCE": str(film)}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "stream-1 cannot be played: the rawvideo video cannot be decoded: " in done.stderr
    assert " is not live after " not in done.stderr
    assert is_healthy(running)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_restarted(running, part):
    killed = running.pid(part)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: running.pid(part) not in (0, killed), BACK_S_MAX, f"{part} is started again")
    eventually(lambda: is_healthy(running), BACK_S_MAX, f"healthy after {part} was killed")


def test_balances_survive_a_killed_emulator(running):
    login = httpx.post(running.url + "/auth/login", json={"email": "demo@local", "password": "demo"}).json()
    time.sleep(3)
    os.kill(running.pid("emulator"), signal.SIGKILL)
    eventually(lambda: is_healthy(running), BACK_S_MAX, "healthy")
    wallet = httpx.get(running.url + "/me/wallet", headers={"Authorization": "Bearer " + login["access_token"]})
    assert wallet.json()["balance_millipoints"] == 100_000


def test_a_killed_supervisord_leaves_nothing_and_up_works_again(running):
    os.kill(Supervisor(running.layout).pid(), signal.SIGKILL)
    eventually(lambda: not leftovers(running), BACK_S_MAX, "its parts end")
    assert_nothing_is_left(running)
    assert running.command("status").returncode == 1
    assert running.command("down").returncode == 0
    assert running.command("up").returncode == 0


def test_prometheus_runs_on_request_and_reads_the_metrics(running):
    port = free_port()
    # The platform keeps the ports of its start, so it is started again.
    assert running.command("down").returncode == 0
    with closing(socket.create_server(("127.0.0.1", port))):
        done = running.command("up", "prometheus", TOLLCAST_PROMETHEUS_PORT=str(port))
    assert (done.returncode, f"Port {port}" in done.stderr) == (1, True)
    assert running.command("up", "grafana").returncode == 1
    done = running.command("up", "prometheus", TOLLCAST_PROMETHEUS_PORT=str(port))
    assert done.returncode == 0, done.stdout + done.stderr
    url = f"http://127.0.0.1:{port}"
    assert f"prometheus runs at {url}" in done.stdout

    def reads():
        found = httpx.get(f"{url}/api/v1/query", params={"query": 'up{job="tollcast"}'}).json()["data"]["result"]
        return [each["value"][1] for each in found] == ["1"]

    eventually(reads, BACK_S_MAX, "the metrics are read with a key")
    groups = httpx.get(f"{url}/api/v1/rules").json()["data"]["groups"]
    assert "TollcastDown" in [rule["name"] for group in groups for rule in group["rules"]]
    key = running.layout.prometheus_dir / "service.key"
    assert key.stat().st_mode & 0o077 == 0
    made = key.read_text()
    assert running.command("status").stdout.splitlines()[-2].startswith("prometheus healthy")
    assert running.command("up", "prometheus").returncode == 0
    assert key.read_text() == made, "a key that is accepted is kept"


def test_down_leaves_nothing_but_the_state_and_may_be_repeated(running):
    assert running.command("down").returncode == 0
    followed = (running.layout.log_dir / "usage.log").read_text()
    assert followed.rstrip().endswith("left: the gateway has stopped, and all of its log is added"), (
        "nginx stopped first"
    )
    assert_nothing_is_left(running)
    again = running.command("down")
    assert (again.returncode, "does not run" in again.stdout) == (0, True)
    assert json.loads((running.layout.state_dir / "stack.json").read_text())["port"] == running.layout.port


@pytest.mark.parametrize("name", ["TOLLCAST_PORT", "TOLLCAST_EMULATOR_PORT", "TOLLCAST_RTMP_PORT"])
def test_a_port_in_use_is_named(tmp_path, name):
    platform = new_stack(tmp_path)
    port = int(platform.caller_environ[name])
    with closing(socket.create_server(("127.0.0.1", port))):
        done = platform.command("up")
    assert done.returncode == 1
    for text in (f"Port {port}", f"pid {os.getpid()}", f"{name}="):
        assert text in done.stderr
    assert_nothing_is_left(platform)
    assert not platform.layout.run_dir.exists()


def test_a_stale_pid_file_is_ignored(tmp_path):
    """Another process may have the number now. It is neither taken for supervisord nor ended."""
    platform = new_stack(tmp_path)
    platform.layout.make_directories()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (platform.layout.run_dir / "supervisord.pid").write_text(str(bystander.pid))
        assert platform.command("status").returncode == 1
        assert platform.command("down").returncode == 0
        assert bystander.poll() is None
        bystander.terminate()


def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path):
    platform = new_stack(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.stack", "up"],
        cwd=ROOT,
        env=platform.caller_environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As on a terminal, also where the tests run in the background and Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    line = ""
    while "migrations" not in line:
        line += process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Interrupted." in errors) == (130, True)
    assert_nothing_is_left(platform)


def test_a_part_that_cannot_start_is_named_and_nothing_is_left(tmp_path):
    platform = new_stack(tmp_path)
    (platform.layout.nginx_dir / "nginx.conf").mkdir(parents=True)
    done = platform.command("up")
    assert done.returncode == 1
    assert "nginx did not start" in done.stderr and "IsADirectoryError" in done.stderr
    assert_nothing_is_left(platform)


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
    assert not psutil.pid_exists(created[0])
