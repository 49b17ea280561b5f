"""supervisord.conf and the compose file have the same parts and start them in the same way."""

import configparser
import re
import shlex

import yaml

from infra.local.layout import ROOT
from infra.local.processes.supervision import PARTS, STOP_S_MAX

SOCKETS = re.compile(r"%\(ENV_TOLLCAST_RUN_DIR\)s")


def programs():
    parser = configparser.RawConfigParser(inline_comment_prefixes=None)
    parser.read(ROOT / "infra" / "local" / "supervisord.conf")
    return {name.split(":")[1]: dict(parser[name]) for name in parser.sections() if name.startswith("program:")}


def test_every_part_is_restarted_and_ends_in_time_and_the_emulator_starts_first():
    found = programs()
    assert set(found) == set(PARTS)
    for name, program in found.items():
        assert program["autorestart"] == "true", name
        assert program["killasgroup"] == "true", name
        assert float(program["stopwaitsecs"]) < STOP_S_MAX, name
        assert "stdout_logfile_maxbytes" in program, name
        assert shlex.split(program["command"])[:4] == ["python", "-m", "infra.local.processes.launcher", name]
    priorities = {name: int(program["priority"]) for name, program in programs().items()}
    assert min(priorities, key=priorities.get) == "emulator"


def test_containers_run_the_same_commands():
    services = yaml.safe_load((ROOT / "docker-compose.localstack.yml").read_text())["services"]
    assert set(services) == {*PARTS, "seed"}
    for name, program in programs().items():
        if name == "emulator":
            continue
        wanted = shlex.split(SOCKETS.sub("/run/tollcast", program["command"]))[4:]
        if "--worker-tmp-dir" in wanted:
            place = wanted.index("--worker-tmp-dir")
            del wanted[place : place + 2]
        assert shlex.split(services[name]["command"]) == wanted, name
        assert services[name]["network_mode"] == "host"
