"""Become the platform's nginx, with a configuration rendered now."""

import os
import shutil
import sys
from pathlib import Path

from chalicelib import config
from gateway.nginx.config import LUA_MODULE, GatewayConfig, render
from infra.local.layout import HOST, Layout, layout_from

ACCESS_LOG_BYTES_MAX = 20_000_000


def gateway_config(layout: Layout, settings: config.Settings) -> GatewayConfig:
    """Return the configuration of the local gateway. Its workers run as this user, whose files they read."""
    return GatewayConfig(
        listen=f"{HOST}:{layout.port}",
        api_socket=layout.socket("api"),
        endpoints_socket=layout.socket("endpoints"),
        origin_socket=layout.socket("origin"),
        s3_host=f"{HOST}:{layout.emulator_port}",
        bucket=settings.media_bucket,
        state_dir=layout.nginx_dir,
        denylist_dir=layout.denylist_dir,
        # All requests of a load test come from one address.
        connections_per_address=10_000,
        requests_per_address_per_s=100_000,
        endpoint_requests_per_address_per_s=100_000,
        user=layout.user if os.getuid() == 0 else None,
    )


def log_to(path: Path) -> None:
    """Redirect the output of this process to the file. Rename a long file to `.1` first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > ACCESS_LOG_BYTES_MAX:
        path.replace(path.with_name(path.name + ".1"))
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(file, sys.stdout.fileno())
    os.close(file)


def main() -> None:
    """Become nginx. Never return."""
    layout = layout_from(os.environ)
    path = layout.nginx_dir / "nginx.conf"
    path.write_text(render(gateway_config(layout, config.load())))
    # nginx removes its sockets only at a regular end, and does not start if one exists.
    layout.socket("origin").unlink(missing_ok=True)
    if layout.shared_access_log:
        log_to(layout.shared_access_log)
    command = shutil.which("nginx")
    if command is None or not LUA_MODULE.exists():
        sys.exit("nginx or its Lua module is not installed: sudo apt-get install nginx-light libnginx-mod-http-lua")
    os.execv(command, [command, "-p", str(layout.nginx_dir), "-c", str(path), "-e", "stderr"])


if __name__ == "__main__":
    main()
