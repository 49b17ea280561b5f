"""The firewall's limit of connections of one address, in this machine's kernel."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.nginx.config import GatewayConfig, render
from infra.local.layout import ROOT
from tests.integration.gateway.nginx.harness import empty

RULES = ROOT / "infra/prod/connections.nft"
# A PID namespace too: nginx ends with its first process.
OWN = ["unshare", "--net", "--pid", "--fork", "--kill-child"]
OWN_NETWORK = OWN if os.getuid() == 0 else [*OWN, "--user", "--map-root-user"]
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


@pytest.fixture
def own_network() -> None:
    done = subprocess.run([*OWN_NETWORK, "true"], capture_output=True, text=True, timeout=10)
    if done.returncode:
        pytest.skip(f"this machine allows no network namespace: {done.stderr}")


def let_in(config: GatewayConfig, directory: Path, rules: Path, port: int, family: str, connections: int) -> tuple:
    """Return the number of accepted connections of one address, and the response to another one."""
    empty(config)
    path = directory / "nginx.conf"
    listen = f"0.0.0.0:{port}" if family == "4" else f"[::]:{port}"
    # The user is root in the namespace, and no other user exists.
    text = render(replace(config, listen="127.0.0.1:443", state_dir=directory, user="root"))
    assert text.count("listen 127.0.0.1:443") == 1
    path.write_text(text.replace("listen 127.0.0.1:443", f"listen {listen}"))
    program = [sys.executable, "-m", "tests.integration.gateway.nginx.slow_headers"]
    done = subprocess.run(
        [*OWN_NETWORK, *program, str(path), str(rules), str(port), family, str(connections)],
        cwd=ROOT,
        env={**os.environ, "PATH": PATH},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return found["let_in"], found["answer"]


@pytest.mark.usefixtures("own_network")
@pytest.mark.parametrize("family", ["4", "6"])
@pytest.mark.parametrize(("port", "allowed"), [(443, GatewayConfig.connections_per_address), (1935, 8)])
def test_an_address_with_slow_headers_leaves_connections_to_others(nginx_config, tmp_path, port, allowed, family):
    found = let_in(nginx_config, tmp_path, RULES, port, family, allowed + 8)
    assert found == (allowed, "HTTP/1.1 404 Not Found")


@pytest.mark.usefixtures("own_network")
def test_without_the_rules_there_is_no_limit(nginx_config, tmp_path):
    nothing = tmp_path / "nothing.nft"
    nothing.touch()
    connections = GatewayConfig.connections_per_address + 8
    assert let_in(nginx_config, tmp_path, nothing, 443, "4", connections) == (connections, "HTTP/1.1 404 Not Found")
