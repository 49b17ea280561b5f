"""The configuration of sources that are not public."""

from ipaddress import ip_network

import pytest

from chalicelib import config

ENVIRON = {
    "TOLLCAST_STAGE": "local",
    "TOLLCAST_MEDIA_BUCKET": "media",
    "TOLLCAST_WORK_QUEUE": "work",
    "TOLLCAST_TOKEN_SECRET": "tokens",
    "TOLLCAST_PUBLIC_URL": "http://127.0.0.1:8080",
    "TOLLCAST_SESSIONS_PER_USER_MAX": "3",
    "TOLLCAST_RTMP_PORT": "1935",
}


def test_nothing_is_open_by_default() -> None:
    for environ in (ENVIRON, {**ENVIRON, "TOLLCAST_INGEST_NETWORKS": " ", "TOLLCAST_INGEST_PORTS": ""}):
        settings = config.load(environ)
        assert (settings.ingest_networks, settings.ingest_ports) == ((), frozenset())


def test_networks_and_ports_are_lists() -> None:
    chosen = {"TOLLCAST_INGEST_NETWORKS": "10.20.0.0/16, fd12::/32,192.168.1.9", "TOLLCAST_INGEST_PORTS": "9443, 80"}
    settings = config.load({**ENVIRON, **chosen})
    assert settings.ingest_networks == tuple(ip_network(t) for t in ("10.20.0.0/16", "fd12::/32", "192.168.1.9/32"))
    assert settings.ingest_ports == frozenset({9443, 80})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOLLCAST_INGEST_NETWORKS", "10.20.0.1/16"),
        ("TOLLCAST_INGEST_NETWORKS", "10.20.0.0/33"),
        ("TOLLCAST_INGEST_NETWORKS", "encoders.example"),
        ("TOLLCAST_INGEST_NETWORKS", "10.20.0.0/16,"),
        ("TOLLCAST_INGEST_PORTS", "0"),
        ("TOLLCAST_INGEST_PORTS", "65536"),
        ("TOLLCAST_INGEST_PORTS", "443;80"),
        ("TOLLCAST_INGEST_PORTS", "-1"),
        ("TOLLCAST_INGEST_PORTS", "80,"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str) -> None:
    with pytest.raises(config.ConfigError, match=f"{name} has .*allowed"):
        config.load({**ENVIRON, name: value})
