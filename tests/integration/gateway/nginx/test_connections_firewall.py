"""Who opens connections and says nothing meets the firewall's table, in the kernel of this machine."""

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
# And processes of its own: when this one is killed, nginx goes with it.
OWN = ["unshare", "--net", "--pid", "--fork", "--kill-child"]
OWN_NETWORK = OWN if os.getuid() == 0 else [*OWN, "--user", "--map-root-user"]
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


@pytest.fixture
def own_network() -> None:
    done = subprocess.run([*OWN_NETWORK, "true"], capture_output=True, text=True, timeout=10)
    if done.returncode:
        pytest.skip(f"this machine lets us have no network of our own: {done.stderr}")


def let_in(config: GatewayConfig, directory: Path, rules: Path, port: int, family: str, connections: int) -> tuple:
    """How many of so many connections of one address are let in, and what another one is answered then."""
    empty(config)
    path = directory / "nginx.conf"
    listen = f"0.0.0.0:{port}" if family == "4" else f"[::]:{port}"
    # In there we are root, whoever we are outside, and nobody else is known.
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
def test_an_address_that_never_ends_its_headers_leaves_connections_to_others(
    nginx_config, tmp_path, port, allowed, family
):
    found = let_in(nginx_config, tmp_path, RULES, port, family, allowed + 8)
    assert found == (allowed, "HTTP/1.1 404 Not Found")


@pytest.mark.usefixtures("own_network")
def test_that_is_the_table_and_not_something_else(nginx_config, tmp_path):
    nothing = tmp_path / "nothing.nft"
    nothing.touch()
    connections = GatewayConfig.connections_per_address + 8
    assert let_in(nginx_config, tmp_path, nothing, 443, "4", connections) == (connections, "HTTP/1.1 404 Not Found")
