"""nginx's TLS directives: towards viewers, and towards S3."""

from dataclasses import dataclass
from pathlib import Path

from gateway.nginx.rendering import quoted, unquoted

# Mozilla's "intermediate" recommendation, version 5.7: all browsers and players of the last ten years.
CIPHERS = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    )
)


@dataclass(frozen=True, kw_only=True)
class Tls:
    """A certificate (with its chain) and its key, PEM files that nginx's master process can read.

    nginx redirects plain HTTP requests to `plain_listen` to `host`, the name in the certificate.
    """

    certificate: Path
    key: Path
    host: str
    plain_listen: str


def listen_directives(listen: str, tls: Tls | None) -> str:
    """Return the directives that make the public server listen. Raise `GatewayConfigError`."""
    if tls is None:
        return f"listen {unquoted(listen)};"
    return f"""listen {unquoted(listen)} ssl http2;
ssl_certificate "{quoted(tls.certificate)}";
ssl_certificate_key "{quoted(tls.key)}";
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers {CIPHERS};
ssl_prefer_server_ciphers off;
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1d;
# Tickets would need keys that are rotated.
ssl_session_tickets off;"""


def redirect_server(tls: Tls | None) -> str:
    """Return the server that redirects plain HTTP to TLS. It logs nothing."""
    if tls is None:
        return "# No TLS here, so no redirect to it."
    return f"""server {{
    listen {unquoted(tls.plain_listen)};
    access_log off;
    return 308 https://{unquoted(tls.host)}$request_uri;
}}"""


@dataclass(frozen=True, kw_only=True)
class S3Directives:
    """S3's base URL for `proxy_pass`, the directives before it, and the upstream of its name."""

    url: str
    directives: str
    upstream: str


def s3_directives(host: str, trusted: Path | None, resolver: str) -> S3Directives:
    """Return TLS directives where there are certificates to trust, else plain HTTP. Raise `GatewayConfigError`."""
    if trusted is None:
        return S3Directives(
            url="http://s3",
            directives="# In plain HTTP: only for a store on this machine or in a private network.",
            upstream=f"upstream s3 {{\n    server {unquoted(host)} max_fails=0;\n    keepalive 8;\n}}",
        )
    name = host.rpartition(":")[0] or host
    return S3Directives(
        # nginx resolves a name in a variable again when its DNS entry expires, but never one in an upstream.
        url="https://$s3_host",
        directives=f"""set $s3_host "{unquoted(host)}";
resolver {unquoted(resolver)};
proxy_ssl_server_name on;
proxy_ssl_name "{unquoted(name)}";
proxy_ssl_verify on;
proxy_ssl_verify_depth 4;
proxy_ssl_trusted_certificate "{quoted(trusted)}";
proxy_ssl_protocols TLSv1.2 TLSv1.3;""",
        upstream="# S3 has no upstream: nginx resolves its name again and again.",
    )
