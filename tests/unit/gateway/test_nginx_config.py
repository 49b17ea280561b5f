"""Rendering the configurations of the gateway's nginx and of the ingest's."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.ingest import config as ingest
from gateway.nginx import config as gateway
from gateway.nginx.rendering import GatewayConfigError

STATE = Path("/home/me/my state")
API, ENDPOINTS, ORIGIN = (Path(f"/run/t/{name}.sock") for name in ("api", "endpoints", "origin"))
SOCKETS = {"api_socket": API, "endpoints_socket": ENDPOINTS, "origin_socket": ORIGIN}
BUCKET = {"s3_host": "127.0.0.1:4566", "bucket": "tollcast-local-media", "denylist_dir": STATE / "denylist"}
GATEWAY = gateway.GatewayConfig(listen="127.0.0.1:8080", **SOCKETS, **BUCKET, state_dir=STATE, user=None)
HOOK, REFUSALS = Path("/run/t/ingest.sock"), Path("/run/t/refusals.sock")
SOCKETS = {"hook_socket": HOOK, "endpoints_socket": ENDPOINTS, "refusals_socket": REFUSALS}
INGEST = ingest.IngestConfig(listen="127.0.0.1:1935", **SOCKETS, state_dir=STATE)


def test_no_request_waits_for_the_authorization_of_another():
    [verdict] = re.findall(r"location = /_verdict \{.*?\n        }", gateway.TEMPLATE.read_text(), re.DOTALL)
    assert "proxy_cache_lock" not in verdict


@pytest.mark.parametrize(
    ("module", "config", "change"),
    [
        *((gateway, GATEWAY, {"listen": "127.0.0.1:80; evil"}), (gateway, GATEWAY, {"bucket": "a b"})),
        *((gateway, GATEWAY, {"s3_host": "x/y"}), (gateway, GATEWAY, {"user": "me;"})),
        *((gateway, GATEWAY, {"state_dir": Path(path)}) for path in ('/tmp/a"b', "/tmp/a\nb")),
        (gateway, GATEWAY, {"denylist_dir": Path("/tmp/$HOME")}),
        (gateway, GATEWAY, {"api_socket": Path("/tmp/" + "x" * 120)}),
        (gateway, GATEWAY, {"origin_socket": Path("/tmp/a b.sock")}),
        *((ingest, INGEST, {"listen": "127.0.0.1:1935; evil"}), (ingest, INGEST, {"state_dir": Path('/tmp/a"b')})),
        *((ingest, INGEST, {name: Path(f"/tmp/a{bad}b")}) for name, bad in (("hook_socket", ":"), ("module", "$HOME"))),
        (ingest, INGEST, {"endpoints_socket": Path("/tmp/a b.sock")}),
    ],
)
def test_values_that_nginx_would_misread_are_rejected(module, config, change):
    with pytest.raises(GatewayConfigError):
        module.render(replace(config, **change))


def test_the_ingest_stores_nothing_and_logs_no_request():
    code = re.sub(r"^\s*#.*\n", "", ingest.render(INGEST), flags=re.MULTILINE)
    stores = r"^\s*(record|hls|dash|push|pull|exec|rtmp_auto_push|rtmp_control|rtmp_stat)"
    assert not re.search(stores, code, re.MULTILINE) and code.count("access_log off;") == 2
