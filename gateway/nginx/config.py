"""nginx's configuration, rendered from `nginx.conf.template` and `GatewayConfig` without side effects.

Settings without a field in `GatewayConfig` are constants in `snippets/`, which nginx includes unchanged: body and
header limits, timeouts and buffers in `client_limits.conf` and `proxy_defaults.conf`. Errors of nginx itself have
their texts in `problem_pages.py`. nginx's Lua module runs `hold.lua`, which holds sessions that are ahead of payment,
and `transfers.lua`, which logs slow responses.
"""

from dataclasses import dataclass
from pathlib import Path

from gateway.nginx import dashboard
from gateway.nginx.problem_pages import NO_DASHBOARD, origin_problem_pages, public_problem_pages
from gateway.nginx.rendering import quoted, render_template, socket_path, unquoted, user_directive
from gateway.nginx.tls import Tls, listen_directives, redirect_server, s3_directives

TEMPLATE = Path(__file__).with_name("nginx.conf.template")
# nginx reads the snippets from this directory when it starts and when it reloads.
SNIPPETS_DIR = Path(__file__).with_name("snippets")
HOLD = Path(__file__).with_name("hold.lua")
TRANSFERS = Path(__file__).with_name("transfers.lua")
# The built files, beside the sources.
DASHBOARD_DIR = Path(__file__).resolve().parents[2] / "admin" / "dist"
# A segment that is sent for longer counts as whole. It begins at most 20 s after its session's end (a decision cached
# for 10 s, then two waits) and has its line 35 s later, within the minute by which a follower has to be past the end.
SLOW_S = 30
# Debian's package libnginx-mod-http-lua installs them there.
MODULES_DIR = Path("/usr/lib/nginx/modules")
LUA_MODULE = MODULES_DIR / "ngx_http_lua_module.so"


@dataclass(frozen=True, kw_only=True)
class GatewayConfig:
    """Addresses, sockets, directories and request limits of the gateway. Set `user` only if root starts nginx."""

    listen: str
    api_socket: Path
    endpoints_socket: Path
    origin_socket: Path
    s3_host: str
    bucket: str
    state_dir: Path
    denylist_dir: Path
    user: str | None
    dashboard_dir: Path = DASHBOARD_DIR
    # TLS towards viewers. Without it, a proxy in front of the gateway must speak TLS.
    tls: Tls | None = None
    # The file of CA certificates that verify S3. Without it, the gateway reaches S3 by plain HTTP.
    s3_trusted: Path | None = None
    # The DNS server for S3's name, whose addresses change. Used only if `s3_trusted` is set.
    resolver: str = "127.0.0.1"
    # Limits for one IPv4 address or one IPv6 /64 network. A few hundred viewers may share one.
    connections_per_address: int = 512
    requests_per_address_per_s: int = 200
    # Requests to the endpoints: one for each viewer and lease, and one more for each start or refusal.
    endpoint_requests_per_address_per_s: int = 100
    segment_cache_mb: int = 1024


def render(config: GatewayConfig) -> str:
    """Return the text of nginx.conf. Raise `GatewayConfigError` for a value that nginx would misread."""
    s3 = s3_directives(config.s3_host, config.s3_trusted, config.resolver)
    snippets = quoted(SNIPPETS_DIR)
    problem_headers = ("add_header Cache-Control no-store always;", f'include "{snippets}/response_headers.conf";')
    values = {
        "USER": user_directive(config.user),
        "MODULES_DIR": quoted(MODULES_DIR),
        "HOLD": quoted(HOLD),
        "TRANSFERS": quoted(TRANSFERS),
        "SLOW_S": str(SLOW_S),
        "SNIPPETS": snippets,
        "LISTEN": listen_directives(config.listen, config.tls),
        "REDIRECT": redirect_server(config.tls),
        "CONNECTIONS": str(config.connections_per_address),
        "REQUESTS_PER_S": str(config.requests_per_address_per_s),
        # A browser's page and a player's start send many requests at once.
        "REQUESTS_BURST": str(2 * config.requests_per_address_per_s),
        "ENDPOINT_REQUESTS_PER_S": str(config.endpoint_requests_per_address_per_s),
        # Requests above the rate wait for up to two seconds. The public server waits five seconds for a response.
        "ENDPOINT_REQUESTS_BURST": str(3 * config.endpoint_requests_per_address_per_s),
        "API_SOCKET": socket_path(config.api_socket),
        "ENDPOINTS_SOCKET": socket_path(config.endpoints_socket),
        "ORIGIN_SOCKET": socket_path(config.origin_socket),
        "S3_HOST": unquoted(config.s3_host),
        "S3_URL": s3.url,
        "S3_TLS": s3.directives,
        "S3_UPSTREAM": s3.upstream,
        "BUCKET": unquoted(config.bucket),
        "STATE_DIR": quoted(config.state_dir),
        "DENYLIST_DIR": quoted(config.denylist_dir),
        "DASHBOARD_DIR": quoted(config.dashboard_dir),
        "DASHBOARD_HEADERS": dashboard.header_directives(),
        "ASSET_CACHE_CONTROL": dashboard.ASSET_CACHE_CONTROL,
        "PAGE_CACHE_CONTROL": dashboard.PAGE_CACHE_CONTROL,
        "NO_DASHBOARD": NO_DASHBOARD,
        "SEGMENT_CACHE_MB": str(config.segment_cache_mb),
        "PROBLEM_PAGES": public_problem_pages(problem_headers),
        "ORIGIN_PROBLEM_PAGES": origin_problem_pages(),
    }
    return render_template(TEMPLATE, values)
