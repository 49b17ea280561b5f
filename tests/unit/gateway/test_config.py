"""Rendering nginx's configuration."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.nginx.config import OWN_PROBLEMS, GatewayConfig, render
from gateway.nginx.rendering import GatewayConfigError

CONFIG = GatewayConfig(
    listen="127.0.0.1:8080",
    api_socket=Path("/run/t/api.sock"),
    endpoints_socket=Path("/run/t/endpoints.sock"),
    origin_socket=Path("/run/t/origin.sock"),
    s3_host="127.0.0.1:4566",
    bucket="tollcast-local-media",
    state_dir=Path("/home/me/my state"),
    denylist_dir=Path("/home/me/my state/denylist"),
    user=None,
)


def test_every_name_is_filled_in_and_every_block_closed():
    text = render(CONFIG)
    assert not re.search(r"@[A-Z]|@include", text)
    # Braces in strings are in pairs as well.
    assert text.count("{") == text.count("}")


def test_it_is_pure():
    assert render(CONFIG) == render(CONFIG)


def test_root_names_its_user_and_others_do_not():
    assert "\nuser root;" in render(replace(CONFIG, user="root"))
    assert not re.search(r"^user ", render(CONFIG), re.MULTILINE)


def test_everything_listens_where_it_is_told_only():
    assert re.findall(r"listen ([^;]+);", render(CONFIG)) == ["127.0.0.1:8080", "unix:/run/t/origin.sock"]


BOTH = "try_files /sessions/$sid /streams/$tollcast_stream"


def test_media_locations_look_at_the_denylist_and_ask_for_a_verdict():
    text = render(CONFIG)
    locations = re.findall(r'location ~ "\^/play/.*?\n        }', text, re.DOTALL)
    assert len(locations) == 2
    for location in locations:
        assert "auth_request /_verdict;" in location
        assert 'root "/home/me/my state/denylist";' in location
        assert "try_files /sessions/$sid " in location
        # What stands in the location itself answers only if one of them is on the denylist.
        assert "proxy_pass http://origin$denial;" in location
    segment = re.search(r"location @segment \{.*?\n        }", text, re.DOTALL)[0]
    assert "proxy_pass http://origin$denial;" in segment
    assert [look in text for look in (f"{BOTH} @playlist;", f"{BOTH} @served;")] == [True, True]


def test_verdicts_are_never_served_stale_or_waited_for():
    text = render(CONFIG)
    assert "use_stale" not in text
    verdict = re.search(r"location = /_verdict \{.*?\n        }", text, re.DOTALL)[0]
    assert "proxy_cache_lock" not in verdict
    assert "proxy_cache_valid" not in verdict


@pytest.mark.parametrize("status", OWN_PROBLEMS)
def test_nginxs_own_errors_are_problems(status):
    text = render(CONFIG)
    assert f"error_page {status} /_problem/{status};" in text
    assert f"location = /_problem/{status} {{" in text


@pytest.mark.parametrize(
    "change",
    [
        {"listen": "127.0.0.1:80; evil"},
        {"bucket": "a b"},
        {"s3_host": "x/y"},
        {"user": "me;"},
        {"state_dir": Path('/tmp/a"b')},
        {"denylist_dir": Path("/tmp/$HOME")},
        {"state_dir": Path("/tmp/a\nb")},
        {"api_socket": Path("/tmp/" + "x" * 120)},
        {"origin_socket": Path("/tmp/a b.sock")},
    ],
    ids=str,
)
def test_values_that_nginx_would_misread_are_refused(change):
    with pytest.raises(GatewayConfigError):
        render(replace(CONFIG, **change))
