"""The ingest's nginx configuration, rendered from `ingest.conf.template` and `IngestConfig` without side effects."""

from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.streams.ingest import RTMP_APPLICATION
from gateway.nginx.rendering import quoted, render_template, socket_path, unquoted

TEMPLATE = Path(__file__).with_name("ingest.conf.template")
# Debian's package libnginx-mod-rtmp installs it there.
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
# The process's address space (`RLIMIT_AS`): enough for the largest frames on half of the 64 connections (35 MB for a
# sender of 16.6 MB frames and its player). Where a frame does not fit, nginx ends its connection and no other.
MEMORY_BYTES_MAX = 2 << 30


@dataclass(frozen=True, kw_only=True)
class IngestConfig:
    """Addresses, sockets and directories of the ingest. Start nginx in the directory of `hook_socket`.

    nginx logs to `refusals_socket` (`refusal_collector.py`). Lines are lost while no process reads from it.
    """

    listen: str
    hook_socket: Path
    endpoints_socket: Path
    refusals_socket: Path
    state_dir: Path
    module: Path = MODULE


def render(config: IngestConfig) -> str:
    """Return the text of nginx's configuration. Raise `GatewayConfigError` for a value that nginx would misread."""
    return render_template(
        TEMPLATE,
        {
            "MODULE": quoted(config.module),
            "LISTEN": unquoted(config.listen),
            "APPLICATION": RTMP_APPLICATION,
            "HOOK_SOCKET": socket_path(config.hook_socket),
            "HOOK_NAME": config.hook_socket.name,
            "ENDPOINTS_SOCKET": socket_path(config.endpoints_socket),
            "REFUSALS_SOCKET": socket_path(config.refusals_socket),
            "STATE_DIR": quoted(config.state_dir),
        },
    )
