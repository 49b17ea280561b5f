"""The lines of nginx's configuration that speak TLS: towards viewers, and towards S3."""

from dataclasses import dataclass
from pathlib import Path

from gateway.nginx.rendering import plain, quotable

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

    Who comes to `plain_listen` in plain HTTP is sent to `host`, the name that the certificate is for.
    """

    certificate: Path
    key: Path
    host: str
    plain_listen: str


def listening(listen: str, tls: Tls | None) -> str:
    """Where the public server listens, and how. Raises `GatewayConfigError`."""
    if tls is None:
        return f"listen {plain(listen)};"
    return f"""listen {plain(listen)} ssl http2;
ssl_certificate "{quotable(tls.certificate)}";
ssl_certificate_key "{quotable(tls.key)}";
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers {CIPHERS};
ssl_prefer_server_ciphers off;
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1d;
# Tickets would need keys that are rotated.
ssl_session_tickets off;"""


def redirecting(tls: Tls | None) -> str:
    """The server of those who come without TLS. Nothing of it is logged."""
    if tls is None:
        return "# Nobody is sent from plain HTTP to TLS here."
    return f"""server {{
    listen {plain(tls.plain_listen)};
    access_log off;
    return 308 https://{plain(tls.host)}$request_uri;
}}"""


@dataclass(frozen=True, kw_only=True)
class S3Lines:
    """S3's address as `proxy_pass` names it, what is to stand before that, and the upstream behind the name."""

    url: str
    before: str
    upstream: str


def to_s3(host: str, trusted: Path | None, resolver: str) -> S3Lines:
    """In plain HTTP over kept connections, or, with certificates to trust, by TLS. Raises `GatewayConfigError`."""
    if trusted is None:
        return S3Lines(
            url="http://s3",
            before="# In plain HTTP: only for a store on this machine, or in a network of its own.",
            upstream=f"upstream s3 {{\n    server {plain(host)} max_fails=0;\n    keepalive 8;\n}}",
        )
    name = host.rpartition(":")[0] or host
    return S3Lines(
        # A name in a variable is looked up again when its time is over; one in an upstream never is.
        url="https://$s3_host",
        before=f"""set $s3_host "{plain(host)}";
resolver {plain(resolver)};
proxy_ssl_server_name on;
proxy_ssl_name "{plain(name)}";
proxy_ssl_verify on;
proxy_ssl_verify_depth 4;
proxy_ssl_trusted_certificate "{quotable(trusted)}";
proxy_ssl_protocols TLSv1.2 TLSv1.3;""",
        upstream="# S3 has no upstream: its name is looked up again and again.",
    )
