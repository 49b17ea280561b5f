"""The settings of functions, endpoints and worker, as far as they are more than a text."""

import pytest

from chalicelib.config import ConfigError, load
from infra.local.layout import service_environment

ENVIRON = service_environment("unit")


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("https://watch.example.org/", "watch.example.org"),
        ("https://watch.example.org/api", "watch.example.org"),
        ("http://[::1]:8080", "[::1]"),
    ],
)
def test_senders_find_us_where_viewers_do_unless_it_is_said(public_url: str, host: str) -> None:
    environ = {**ENVIRON, "TOLLCAST_PUBLIC_URL": public_url}
    assert load(environ).ingest_host == host
    assert load({**environ, "TOLLCAST_INGEST_HOST": "ingest.example.org"}).ingest_host == "ingest.example.org"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOLLCAST_INGEST_HOST", "example.org:1935"),
        ("TOLLCAST_INGEST_HOST", "rtmp://example.org"),
        ("TOLLCAST_INGEST_HOST", "a b"),
        ("TOLLCAST_RTMP_PORT", ""),
        ("TOLLCAST_RTMP_PORT", "0"),
        ("TOLLCAST_RTMP_PORT", "65536"),
    ],
)
def test_wrong_places_for_senders_are_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load({**ENVIRON, name: value})
