"""Images, containers and supervisord.conf, as far as they can be checked without a container engine."""

import configparser
import json
import re
import shlex
import tomllib

import yaml

import worker.config
from chalicelib import config
from infra.local.layout import ROOT, layout_from, local_settings
from infra.local.processes.supervision import ALL_PARTS, OPTIONAL_PARTS, PARTS, STOP_S_MAX
from worker.supervision.agent import DRAIN_S

DOCKERFILES = ("worker/Dockerfile", "infra/local/setup/Dockerfile")


def instructions(path):
    """Return names and arguments in their order. Continued lines are one."""
    lines = [line for line in (ROOT / path).read_text().splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in whole.splitlines() if line]


def only(path, wanted):
    [arguments] = [arguments for name, arguments in instructions(path) if name == wanted]
    return arguments


def services():
    return yaml.safe_load((ROOT / "docker-compose.localstack.yml").read_text())["services"]


def test_all_pins_of_a_package_are_the_same_version():
    locks = ("requirements.lock", "tests/requirements.lock")
    lock = dict(line.split("==") for path in locks for line in (ROOT / path).read_text().split())
    pinned = {re.sub(r"[-_.]+", "-", name.lower()): version for name, version in lock.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(each for extra in extras.values() for each in extra)]:
        name, version = requirement.split("==")
        assert pinned[name] == version
    # The image takes its versions from the lock.
    [install] = [arguments for name, arguments in instructions("worker/Dockerfile") if "pip install" in arguments]
    options, _, packages = install.partition("--constraint requirements.lock ")
    assert options and packages.split() == [requirement.split("==")[0] for requirement in extras["worker"]]


def test_the_workers_process_receives_signals_and_runs_without_privileges():
    assert int(only("worker/Dockerfile", "USER")) > 1000
    assert json.loads(only("worker/Dockerfile", "ENTRYPOINT")) == ["tini", "--"]
    assert json.loads(only("worker/Dockerfile", "CMD")) == ["python", "-m", "worker"]
    health = only("worker/Dockerfile", "HEALTHCHECK").partition("CMD ")[2]
    assert json.loads(health) == ["python", "-m", "worker.health"]


def test_the_workers_container_is_confined_and_has_time_to_drain():
    service, user = services()["worker"], only("worker/Dockerfile", "USER")
    assert service["build"]["dockerfile"] == "worker/Dockerfile"
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"] and service["mem_limit"]
    assert float(service["stop_grace_period"].removesuffix("s")) > DRAIN_S
    # The only writable directory. All other mounts are read only.
    [scratch] = service["tmpfs"]
    assert scratch.split(":")[0] == service["environment"]["TOLLCAST_WORK_DIR"] and f"uid={user}," in scratch
    assert all(volume.endswith(":ro") for volume in service["volumes"]) and service["init"] is False


def test_containers_have_the_settings_of_the_local_platform():
    chosen = {"TOLLCAST_WORKER_ID", "TOLLCAST_MEDIA_DIR", "TOLLCAST_WORK_DIR", "TOLLCAST_ACCESS_LOG"}
    for name in services().keys() - {"emulator"}:
        environ = services()[name]["environment"]
        config.load(environ)
        expected = {**environ, **local_settings(layout_from(environ))}
        assert {key: expected[key] for key in environ.keys() - chosen}.items() <= environ.items(), name
    worker.config.load(services()["worker"]["environment"])


def test_what_the_images_copy_is_in_their_context():
    included = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = [arguments for path in DOCKERFILES for name, arguments in instructions(path) if name == "COPY"]
    copied = {source for arguments in copies for source in arguments.split()[:-1]}
    assert copied == included and all((ROOT / name).exists() for name in included)


SOCKETS = re.compile(r"%\(ENV_TOLLCAST_RUN_DIR\)s")


def programs():
    parser = configparser.RawConfigParser(inline_comment_prefixes=None)
    parser.read(ROOT / "infra" / "local" / "supervisord.conf")
    return {name.split(":")[1]: dict(parser[name]) for name in parser.sections() if name.startswith("program:")}


def test_every_part_is_restarted_and_ends_in_time_and_the_emulator_starts_first():
    found = programs()
    assert set(found) == set(ALL_PARTS)
    for name, program in found.items():
        assert program["autorestart"] == "true", name
        assert program["killasgroup"] == "true", name
        assert float(program["stopwaitsecs"]) < STOP_S_MAX, name
        assert "stdout_logfile_maxbytes" in program, name
        assert shlex.split(program["command"])[:4] == ["python", "-m", "infra.local.processes.launcher", name]
    priorities = {name: int(program["priority"]) for name, program in programs().items()}
    assert min(priorities, key=priorities.get) == "emulator"


def test_containers_run_the_same_commands():
    containers = services()
    assert set(containers) == {*PARTS, "seed"}
    for name, program in programs().items():
        if name == "emulator" or name in OPTIONAL_PARTS:
            continue
        wanted = shlex.split(SOCKETS.sub("/run/tollcast", program["command"]))[4:]
        if "--worker-tmp-dir" in wanted:
            place = wanted.index("--worker-tmp-dir")
            del wanted[place : place + 2]
        assert shlex.split(containers[name]["command"]) == wanted, name
        assert containers[name]["network_mode"] == "host"
