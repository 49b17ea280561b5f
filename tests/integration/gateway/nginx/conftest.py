"""Fixtures of a running nginx, over stubs of the access rule and of S3."""

import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from chalicelib.adapters.access.file_denylist import FileDenylist
from gateway.nginx.config import GatewayConfig
from tests.fixtures.ports import free_port
from tests.integration.gateway.nginx.harness import Gateway, Rule, empty, endpoint_server, run_nginx, serving, stub_s3


@contextmanager
def new_config():
    """Make a configuration of a gateway on free ports, with short socket paths."""
    directory = Path(tempfile.mkdtemp(prefix="tc gw-", dir="/tmp"))
    port, s3_port = free_port(), free_port()
    sockets = Path(tempfile.mkdtemp(prefix="tcgw-", dir="/tmp"))
    yield GatewayConfig(
        listen=f"127.0.0.1:{port}",
        api_socket=sockets / "api.sock",
        endpoints_socket=sockets / "endpoints.sock",
        origin_socket=sockets / "origin.sock",
        s3_host=f"127.0.0.1:{s3_port}",
        bucket="media",
        state_dir=directory,
        denylist_dir=directory / "deny list",
        user=pwd.getpwuid(os.getuid()).pw_name if os.getuid() == 0 else None,
    )
    shutil.rmtree(directory)
    shutil.rmtree(sockets)


@contextmanager
def running(config: GatewayConfig, text: str = "") -> Iterator[Gateway]:
    """Run a gateway, with this configuration of nginx if there is one."""
    rule = Rule()
    empty(config)
    denylist = FileDenylist(config.denylist_dir)
    denylist.prepare()
    # A lambda, so that a test can replace the method.
    endpoints = endpoint_server(config, lambda *asked: rule.verdict(*asked), denylist, lambda: int(time.time() * 1000))
    s3 = stub_s3(config)
    # Above 20 connections, httpx closes idle ones, also those that another thread is about to use (EBADF).
    every = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    with (
        serving(endpoints, s3),
        run_nginx(config, text) as (process, log_path),
        httpx.Client(timeout=15, limits=every) as client,
    ):
        yield Gateway("http://" + config.listen, rule, s3, endpoints, denylist, process, log_path, client)


@pytest.fixture(scope="session")
def nginx_config():
    with new_config() as config:
        yield config


@pytest.fixture
def gateway(nginx_config):
    with running(nginx_config) as gateway:
        yield gateway


@pytest.fixture
def second_gateway():
    """Another gateway with the same rule of access and media."""
    with new_config() as config, running(config) as gateway:
        yield gateway
