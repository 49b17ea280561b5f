"""Write nginx's configuration for your own machine: `python -m infra.prod.nginx > /etc/tollcast/nginx.conf`.

It is configured by the environment: beside the settings of the functions (`chalicelib/config.py`) the certificate and
its key, the listening addresses, and the resolver for S3's address. The machine's supervisor then starts
`nginx -c /etc/tollcast/nginx.conf -e stderr`, with its output in the file that `gateway.usage` follows.

The file includes `gateway/nginx/snippets/` of this tree: write it again and restart nginx after each update.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib import config
from chalicelib.config import ConfigError
from gateway.nginx.config import GatewayConfig, render
from gateway.nginx.rendering import GatewayConfigError
from gateway.nginx.tls import Tls

# From Debian's package ca-certificates.
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
# The address of systemd-resolved.
RESOLVER = "127.0.0.53"
USER = "www-data"


def gateway_config(environ: Mapping[str, str]) -> GatewayConfig:
    """Return the configuration of this machine's gateway. Raises `ConfigError` if a setting is missing or invalid."""
    settings = config.load(environ)
    if settings.denylist_dir is None:
        raise ConfigError("TOLLCAST_DENYLIST_DIR is not set. Without it, a kick takes effect after up to 10 s.")
    run_dir = _path(environ, "TOLLCAST_RUN_DIR")
    return GatewayConfig(
        listen=environ.get("TOLLCAST_GATEWAY_LISTEN", "443"),
        api_socket=run_dir / "api.sock",
        endpoints_socket=run_dir / "endpoints.sock",
        origin_socket=run_dir / "origin.sock",
        s3_host=environ.get("TOLLCAST_S3_HOST") or f"s3.{_text(environ, 'AWS_REGION')}.amazonaws.com:443",
        bucket=settings.media_bucket,
        state_dir=_path(environ, "TOLLCAST_GATEWAY_DIR"),
        denylist_dir=settings.denylist_dir,
        user=environ.get("TOLLCAST_GATEWAY_USER", USER),
        tls=Tls(
            certificate=_path(environ, "TOLLCAST_TLS_CERTIFICATE"),
            key=_path(environ, "TOLLCAST_TLS_KEY"),
            host=_public_host(settings.public_url),
            plain_listen=environ.get("TOLLCAST_GATEWAY_PLAIN_LISTEN", "80"),
        ),
        s3_trusted=Path(environ.get("TOLLCAST_S3_TRUSTED", TRUSTED)),
        resolver=environ.get("TOLLCAST_RESOLVER", RESOLVER),
    )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set")
    return value


def _path(environ: Mapping[str, str], name: str) -> Path:
    path = Path(_text(environ, name))
    if not path.is_absolute():
        raise ConfigError(f"{name} is {str(path)!r}; allowed: an absolute path")
    return path


def _public_host(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ConfigError(f"TOLLCAST_PUBLIC_URL is {url!r}; allowed here: an address that begins with https://")
    return parts.hostname


def main() -> int:
    """Print the configuration. Return 2 and print the reason if a setting is missing or invalid."""
    try:
        sys.stdout.write(render(gateway_config(os.environ)))
    except (ConfigError, GatewayConfigError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
