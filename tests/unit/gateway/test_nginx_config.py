"""Rendering the configurations of the gateway's nginx and of the ingest's."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.ingest import config as ingest
from gateway.nginx import config as gateway
from gateway.nginx.problem_pages import PROBLEMS
from gateway.nginx.rendering import GatewayConfigError

STATE = Path("/home/me/my state")
API, ENDPOINTS, ORIGIN = (Path(f"/run/t/{name}.sock") for name in ("api", "endpoints", "origin"))
SOCKETS = {"api_socket": API, "endpoints_socket": ENDPOINTS, "origin_socket": ORIGIN}
BUCKET = {"s3_host": "127.0.0.1:4566", "bucket": "tollcast-local-media", "denylist_dir": STATE / "denylist"}
GATEWAY = gateway.GatewayConfig(listen="127.0.0.1:8080", **SOCKETS, **BUCKET, state_dir=STATE, user=None)
HOOK, REFUSALS = Path("/run/t/ingest.sock"), Path("/run/t/refusals.sock")
SOCKETS = {"hook_socket": HOOK, "endpoints_socket": ENDPOINTS, "refusals_socket": REFUSALS}
INGEST = ingest.IngestConfig(listen="127.0.0.1:1935", **SOCKETS, state_dir=STATE)

text = pytest.fixture(lambda: gateway.render(GATEWAY))
# The configuration with its snippets in place, as nginx reads it.
whole = pytest.fixture(lambda text: re.sub(r'include "(\S+)";', lambda found: Path(found[1]).read_text(), text))
code_of_ingest = pytest.fixture(lambda: re.sub(r"^\s*#.*\n", "", ingest.render(INGEST), flags=re.MULTILINE))


def test_every_placeholder_has_a_value_and_every_block_is_closed(text, whole):
    assert not re.search(r"@[A-Z]|^ *include ", whole, re.MULTILINE)
    # Braces in strings are in pairs as well.
    assert whole.count("{") == whole.count("}")
    assert gateway.render(GATEWAY) == text, "rendering has no side effects"


def test_only_root_sets_a_user_and_nginx_listens_on_the_configured_addresses_only(text, code_of_ingest):
    assert "\nuser root;" in gateway.render(replace(GATEWAY, user="root"))
    assert not re.search(r"^user ", text, re.MULTILINE)
    assert re.findall(r"listen ([^;]+);", text) == ["127.0.0.1:8080", "unix:/run/t/origin.sock"]
    assert re.findall(r"listen ([^; ]+)", code_of_ingest) == ["127.0.0.1:1935", "unix:/run/t/ingest.sock"]


BOTH = "try_files /sessions/$sid /streams/$tollcast_stream"


def test_media_locations_check_the_denylist_and_authorize(whole):
    locations = re.findall(r'location ~ "\^/play/.*?\n        }', whole, re.DOTALL)
    assert len(locations) == 2
    for location in locations:
        assert "auth_request /_verdict;" in location and 'root "/home/me/my state/denylist";' in location
        assert "try_files /sessions/$sid " in location
        # The location itself responds only if the session or the stream is on the denylist.
        assert "proxy_pass http://origin$denial;" in location
    segment = re.search(r"location @segment \{.*?\n        }", whole, re.DOTALL)[0]
    assert "proxy_pass http://origin$denial;" in segment
    assert [look in whole for look in (f"{BOTH} @playlist;", f"{BOTH} @served;")] == [True, True]


def test_authorizations_are_never_stale_or_locked(whole):
    assert "use_stale" not in whole
    verdict = re.search(r"location = /_verdict \{.*?\n        }", whole, re.DOTALL)[0]
    assert "proxy_cache_lock" not in verdict and "proxy_cache_valid" not in verdict


def test_nginx_errors_are_problem_documents(text):
    for status in PROBLEMS:
        assert f"error_page {status} /_problem/{status};" in text and f"location = /_problem/{status} {{" in text


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


def test_nginx_accepts_the_ingest_configuration(tmp_path):
    path = tmp_path / "nginx.conf"
    path.write_text(ingest.render(replace(INGEST, state_dir=tmp_path, hook_socket=Path("/tmp/x.sock"))))
    command = ["/usr/sbin/nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(path), "-e", "stderr"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr


def test_the_ingest_authorizes_everything_stores_nothing_and_takes_every_frame_of_rtmp(code_of_ingest):
    for event in ("publish", "play", "update"):
        assert f"on_{event} http://unix:ingest.sock:/{event};" in code_of_ingest
    stores = r"^\s*(record|hls|dash|push|pull|exec|rtmp_auto_push|rtmp_control|rtmp_stat)"
    assert not re.search(stores, code_of_ingest, re.MULTILINE) and code_of_ingest.count("access_log off;") == 2
    # Lines of the level info contain keys, so they go to a socket and to no file.
    collected = "syslog:server=unix:/run/t/refusals.sock,nohostname,tag=ingest"
    assert re.findall(r"error_log ([^;]+);", code_of_ingest) == ["stderr error", f"{collected} info"]
    assert re.findall(r"access_log (syslog\S+) (\w+)", code_of_ingest) == [(collected, "refusals")]
    [megabytes] = re.findall(r"max_message (\d+)M;", code_of_ingest)
    assert int(megabytes) << 20 > 2**24 - 1


def test_only_connected_clients_of_the_ingest_stay_without_a_response(code_of_ingest):
    kept = r"location = (\S+) \{(?:(?!location).)*?error_page 500 502 503 504 =204"
    assert re.findall(kept, code_of_ingest, re.DOTALL) == ["/update"]
