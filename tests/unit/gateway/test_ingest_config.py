import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.ingest.config import IngestConfig, render
from gateway.nginx.rendering import GatewayConfigError

HOOK, ENDPOINTS, REFUSALS = (Path(f"/run/t/{name}.sock") for name in ("ingest", "endpoints", "refusals"))
SOCKETS = {"hook_socket": HOOK, "endpoints_socket": ENDPOINTS, "refusals_socket": REFUSALS}
CONFIG = IngestConfig(listen="127.0.0.1:1935", state_dir=Path("/home/me/my state"), **SOCKETS)


def code():
    return re.sub(r"^\s*#.*\n", "", render(CONFIG), flags=re.MULTILINE)


def test_nginx_accepts_the_ingest_configuration(tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text(render(replace(CONFIG, state_dir=tmp_path, hook_socket=Path("/tmp/x.sock"))))
    command = ["/usr/sbin/nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(path), "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr


def test_the_ingest_listens_as_configured_and_takes_every_frame_of_rtmp():
    assert re.findall(r"listen ([^; ]+)", code()) == ["127.0.0.1:1935", "unix:/run/t/ingest.sock"]
    [megabytes] = re.findall(r"max_message (\d+)M;", code())
    assert int(megabytes) << 20 > 2**24 - 1


def test_the_ingest_authorizes_everything_and_stores_nothing():
    text = code()
    for event in ("publish", "play", "update"):
        assert f"on_{event} http://unix:ingest.sock:/{event};" in text
    stores = r"^\s*(record|hls|dash|push|pull|exec|rtmp_auto_push|rtmp_control|rtmp_stat)"
    assert not re.search(stores, text, re.MULTILINE) and text.count("access_log off;") == 2
    # Lines of the level info contain keys, so they go to a socket and to no file.
    collected = "syslog:server=unix:/run/t/refusals.sock,nohostname,tag=ingest"
    assert re.findall(r"error_log ([^;]+);", text) == ["stderr error", f"{collected} info"]
    assert re.findall(r"access_log (syslog\S+) (\w+)", text) == [(collected, "refusals")]


def test_only_connected_clients_stay_without_a_response():
    text = code()
    kept = re.findall(r"location = (\S+) \{(?:(?!location).)*?error_page 500 502 503 504 =204", text, re.DOTALL)
    assert kept == ["/update"]


@pytest.mark.parametrize(
    "change",
    [
        *({"listen": "127.0.0.1:1935; evil"}, {"state_dir": Path('/tmp/a"b')}, {"module": Path("/tmp/$HOME.so")}),
        *({"hook_socket": Path("/tmp/a:b.sock")}, {"endpoints_socket": Path("/tmp/a b.sock")}),
    ],
    ids=str,
)
def test_values_that_nginx_would_misread_are_rejected(change):
    with pytest.raises(GatewayConfigError):
        render(replace(CONFIG, **change))
