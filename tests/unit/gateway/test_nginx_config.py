import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.nginx.config import GatewayConfig, render
from gateway.nginx.problem_pages import PROBLEMS
from gateway.nginx.rendering import GatewayConfigError

SOCKETS = {f"{name}_socket": Path(f"/run/t/{name}.sock") for name in ("api", "endpoints", "origin")}
PLACES = {"state_dir": Path("/home/me/my state"), "denylist_dir": Path("/home/me/my state/denylist"), "user": None}
BUCKET = {"s3_host": "127.0.0.1:4566", "bucket": "tollcast-local-media"}
CONFIG = GatewayConfig(listen="127.0.0.1:8080", **SOCKETS, **PLACES, **BUCKET)


def render_whole(config):
    """Return the configuration with its snippets in place, as nginx reads it."""
    return re.sub(r'include "(\S+)";', lambda found: Path(found[1]).read_text(), render(config))


def test_every_placeholder_has_a_value_and_every_block_is_closed():
    text = render_whole(CONFIG)
    assert not re.search(r"@[A-Z]|^ *include ", text, re.MULTILINE)
    # Braces in strings are in pairs as well.
    assert text.count("{") == text.count("}")
    assert render(CONFIG) == render(CONFIG), "rendering has no side effects"


def test_only_root_sets_a_user_and_nginx_listens_on_the_configured_addresses_only():
    assert "\nuser root;" in render(replace(CONFIG, user="root"))
    assert not re.search(r"^user ", render(CONFIG), re.MULTILINE)
    assert re.findall(r"listen ([^;]+);", render(CONFIG)) == ["127.0.0.1:8080", "unix:/run/t/origin.sock"]


BOTH = "try_files /sessions/$sid /streams/$tollcast_stream"


def test_media_locations_check_the_denylist_and_authorize():
    text = render_whole(CONFIG)
    locations = re.findall(r'location ~ "\^/play/.*?\n        }', text, re.DOTALL)
    assert len(locations) == 2
    for location in locations:
        assert "auth_request /_verdict;" in location and 'root "/home/me/my state/denylist";' in location
        assert "try_files /sessions/$sid " in location
        # The location itself responds only if the session or the stream is on the denylist.
        assert "proxy_pass http://origin$denial;" in location
    segment = re.search(r"location @segment \{.*?\n        }", text, re.DOTALL)[0]
    assert "proxy_pass http://origin$denial;" in segment
    assert [look in text for look in (f"{BOTH} @playlist;", f"{BOTH} @served;")] == [True, True]


def test_authorizations_are_never_stale_or_locked():
    text = render_whole(CONFIG)
    assert "use_stale" not in text
    verdict = re.search(r"location = /_verdict \{.*?\n        }", text, re.DOTALL)[0]
    assert "proxy_cache_lock" not in verdict and "proxy_cache_valid" not in verdict


def test_nginx_errors_are_problem_documents():
    text = render(CONFIG)
    for status in PROBLEMS:
        assert f"error_page {status} /_problem/{status};" in text
        assert f"location = /_problem/{status} {{" in text


@pytest.mark.parametrize(
    "change",
    [
        *({"listen": "127.0.0.1:80; evil"}, {"bucket": "a b"}, {"s3_host": "x/y"}, {"user": "me;"}),
        *({"state_dir": Path('/tmp/a"b')}, {"denylist_dir": Path("/tmp/$HOME")}, {"state_dir": Path("/tmp/a\nb")}),
        *({"api_socket": Path("/tmp/" + "x" * 120)}, {"origin_socket": Path("/tmp/a b.sock")}),
    ],
    ids=str,
)
def test_values_that_nginx_would_misread_are_rejected(change):
    with pytest.raises(GatewayConfigError):
        render(replace(CONFIG, **change))
