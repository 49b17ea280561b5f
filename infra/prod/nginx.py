"""Write nginx's configuration for your own machine: `python -m infra.prod.nginx > /etc/tollcast/nginx.conf`.

It is configured by the environment (`docs/settings.md`). The machine's supervisor then starts
`nginx -c /etc/tollcast/nginx.conf -e stderr`, with its output in the file that `gateway.usage` follows.

The file includes `gateway/nginx/snippets/` of this tree: write it again and restart nginx after each update.
"""

import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from chalicelib import config
from chalicelib.config import ConfigError
from chalicelib.settings_table import Part, read
from gateway.nginx.config import GatewayConfig, render
from gateway.nginx.rendering import GatewayConfigError
from gateway.nginx.tls import Tls


def gateway_config(environ: Mapping[str, str]) -> GatewayConfig:
    """Return the configuration of this machine's gateway. Raise `ConfigError` if a setting is missing or invalid."""
    settings = config.load(environ)
    if settings.denylist_dir is None:
        raise ConfigError("TOLLCAST_DENYLIST_DIR is not set. Without the denylist, a kick takes up to 10 s.")
    values = read(Part.NGINX, environ)
    return GatewayConfig(
        listen=values["gateway_listen"],
        api_socket=values["run_dir"] / "api.sock",
        endpoints_socket=values["run_dir"] / "endpoints.sock",
        origin_socket=values["run_dir"] / "origin.sock",
        s3_host=values["s3_host"],
        bucket=settings.media_bucket,
        state_dir=values["gateway_dir"],
        denylist_dir=settings.denylist_dir,
        user=values["gateway_user"],
        tls=Tls(
            certificate=values["tls_certificate"],
            key=values["tls_key"],
            host=_public_host(settings.public_url),
            plain_listen=values["gateway_plain_listen"],
        ),
        s3_trusted=values["s3_trusted"],
        resolver=values["resolver"],
    )


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
