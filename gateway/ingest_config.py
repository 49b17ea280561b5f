"""Renders the ingest's nginx configuration from `ingest.conf.template`: a pure function of `IngestConfig`."""

from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.streams.ingest import RTMP_APPLICATION
from gateway.rendering import filled, plain, quotable, socket_path

TEMPLATE = Path(__file__).with_name("ingest.conf.template")
# Where Debian's package libnginx-mod-rtmp puts it.
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
# The address space of the process (`RLIMIT_AS`). Half of the 64 connections may send frames as large as RTMP knows
# them: of 16.6 MB, a sender and its player took 35 MB. A connection whose frame does not fit is ended, and no other.
MEMORY_BYTES_MAX = 2 << 30


@dataclass(frozen=True, kw_only=True)
class IngestConfig:
    """Where senders connect, whom to ask and where things are kept. nginx must be started in the hook's directory.

    Its lines go to `refusals_socket` (gateway/refusals.py); while nothing listens there, they are lost.
    """

    listen: str
    hook_socket: Path
    endpoints_socket: Path
    refusals_socket: Path
    state_dir: Path
    module: Path = MODULE


def render(config: IngestConfig) -> str:
    """The text of nginx's configuration. Raises `GatewayConfigError` for a value that nginx would misread."""
    return filled(
        TEMPLATE,
        {
            "MODULE": quotable(config.module),
            "LISTEN": plain(config.listen),
            "APPLICATION": RTMP_APPLICATION,
            "HOOK_SOCKET": socket_path(config.hook_socket),
            "HOOK_NAME": config.hook_socket.name,
            "ENDPOINTS_SOCKET": socket_path(config.endpoints_socket),
            "REFUSALS_SOCKET": socket_path(config.refusals_socket),
            "STATE_DIR": quotable(config.state_dir),
        },
    )
