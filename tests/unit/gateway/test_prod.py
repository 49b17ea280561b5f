"""The gateway's production configuration, from the environment."""

from pathlib import Path

import pytest

from chalicelib.config import ConfigError
from gateway.nginx.config import render
from infra.prod import nginx
from tests.fixtures.settings import service_environment

ENVIRON = {
    **service_environment("prod"),
    "AWS_REGION": "eu-central-1",
    "TOLLCAST_PUBLIC_URL": "https://watch.example",
    "TOLLCAST_DENYLIST_DIR": "/var/lib/tollcast/denylist",
    "TOLLCAST_RUN_DIR": "/run/tollcast",
    "TOLLCAST_GATEWAY_DIR": "/var/lib/tollcast/nginx",
    "TOLLCAST_TLS_CERTIFICATE": "/etc/tollcast/chain.pem",
    "TOLLCAST_TLS_KEY": "/etc/tollcast/key.pem",
}


def test_production_uses_tls_on_both_sides():
    text = render(nginx.gateway_config(ENVIRON))
    for line in (
        "listen 443 ssl http2;",
        'ssl_certificate "/etc/tollcast/chain.pem";',
        'ssl_certificate_key "/etc/tollcast/key.pem";',
        "return 308 https://watch.example$request_uri;",
        'set $s3_host "s3.eu-central-1.amazonaws.com:443";',
        'proxy_ssl_name "s3.eu-central-1.amazonaws.com";',
        "proxy_ssl_verify on;",
        "user www-data;",
    ):
        assert line in text, line
    assert "http://s3" not in text


def test_an_empty_user_is_for_an_nginx_without_root():
    assert nginx.gateway_config({**ENVIRON, "TOLLCAST_GATEWAY_USER": ""}).user == ""
    without_region = {**ENVIRON, "AWS_REGION": "", "TOLLCAST_S3_HOST": "s3.internal:443"}
    assert nginx.gateway_config(without_region).s3_host == "s3.internal:443"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"TOLLCAST_TLS_KEY": ""}, "TOLLCAST_TLS_KEY is not set"),
        ({"TOLLCAST_TLS_KEY": "key.pem"}, "TOLLCAST_TLS_KEY is 'key.pem'; allowed: an absolute path"),
        ({"TOLLCAST_PUBLIC_URL": "http://watch.example"}, "TOLLCAST_PUBLIC_URL is 'http://watch.example'"),
        ({"TOLLCAST_DENYLIST_DIR": ""}, "TOLLCAST_DENYLIST_DIR is not set"),
        ({"AWS_REGION": ""}, "AWS_REGION is not set"),
    ],
    ids=str,
)
def test_missing_and_invalid_settings_are_named(change, said):
    with pytest.raises(ConfigError, match=said.replace("(", "\\(")):
        nginx.gateway_config({**ENVIRON, **change})


def test_the_command_reports_errors_and_writes_nothing(monkeypatch, capsys):
    for name, value in {**ENVIRON, "TOLLCAST_TLS_CERTIFICATE": '/etc/a"b.pem'}.items():
        monkeypatch.setenv(name, value)
    assert nginx.main() == 2
    said = capsys.readouterr()
    assert said.out == "" and 'a"b.pem' in said.err
    monkeypatch.setenv("TOLLCAST_TLS_CERTIFICATE", str(Path("/etc/ok.pem")))
    assert nginx.main() == 0 and "ssl_certificate" in capsys.readouterr().out
