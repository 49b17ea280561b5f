"""Renders nginx's configuration from `nginx.conf.template`: a pure function of `GatewayConfig`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from chalicelib.problems import PROBLEM_JSON, problem
from gateway.nginx.rendering import filled, plain, quotable, socket_path, user_line
from gateway.nginx.tls import Tls, listening, redirecting, to_s3

TEMPLATE = Path(__file__).with_name("nginx.conf.template")
HEADERS = Path(__file__).with_name("snippets") / "response_headers.conf"
SEGMENT_CACHE_MB = 1024

# What nginx itself may answer: status -> (code, detail).
OWN_PROBLEMS = {
    400: ("invalid_request", "This is not an HTTP request that we understand."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address answers GET and HEAD."),
    408: ("request_timeout", "The request took too long to arrive."),
    413: ("body_too_large", "The body may have 65536 bytes."),
    414: ("address_too_long", "The address is too long."),
    416: ("range_not_satisfiable", "The object is shorter than the range asked for."),
    429: (
        "too_many_requests",
        "Too many requests or segments at once; media comes at the pace that it is watched at.",
    ),
    431: ("headers_too_large", "The request's headers are too large."),
    500: ("internal_error", "Something went wrong on our side. It was logged."),
    501: ("not_implemented", "This way of sending a request is not supported."),
    502: ("unavailable", "A part of the platform does not answer. Try again in a moment."),
    503: ("unavailable", "A part of the platform does not answer. Try again in a moment."),
    504: ("unavailable", "A part of the platform took too long. Try again in a moment."),
}
OWN_HEADERS = {
    405: {"Allow": "GET, HEAD"},
    429: {"Retry-After": "1"},
    502: {"Retry-After": "1"},
    503: {"Retry-After": "1"},
}
# nginx's private numbers for what has a public one.
ALIASES = {494: 431}


@dataclass(frozen=True, kw_only=True)
class GatewayConfig:
    """Where the gateway listens, whom it asks and where it keeps things. `user` only where nginx starts as root."""

    listen: str
    api_socket: Path
    endpoints_socket: Path
    origin_socket: Path
    s3_host: str
    bucket: str
    state_dir: Path
    denylist_dir: Path
    user: str | None
    # TLS towards viewers; without it, what is in front of the gateway must do that.
    tls: Tls | None = None
    # The certificates that S3's is verified against; without them S3 is spoken to in plain HTTP.
    s3_trusted: Path | None = None
    # Whom to ask where S3 is, since its addresses change; only asked with TLS.
    resolver: str = "127.0.0.1"
    # Of one address, or one IPv6 network of 64 bits. A few hundred viewers may sit behind one.
    connections_per_address: int = 512
    requests_per_address_per_s: int = 200
    # To the endpoints. Each viewer is asked about once a lease, and again by whoever starts or is refused.
    questions_per_address_per_s: int = 100
    segment_cache_mb: int = SEGMENT_CACHE_MB


def render(config: GatewayConfig) -> str:
    """The text of nginx.conf. Raises `GatewayConfigError` for a value that nginx would misread."""
    s3 = to_s3(config.s3_host, config.s3_trusted, config.resolver)
    values = {
        "USER": user_line(config.user),
        "LISTEN": listening(config.listen, config.tls),
        "REDIRECT": redirecting(config.tls),
        "CONNECTIONS": str(config.connections_per_address),
        "REQUESTS_PER_S": str(config.requests_per_address_per_s),
        # What a page of a browser asks for at once, and a player's start.
        "REQUESTS_BURST": str(2 * config.requests_per_address_per_s),
        "QUESTIONS_PER_S": str(config.questions_per_address_per_s),
        # Two seconds of waiting; whom they are asked for waits for five.
        "QUESTIONS_BURST": str(3 * config.questions_per_address_per_s),
        "API_SOCKET": socket_path(config.api_socket),
        "ENDPOINTS_SOCKET": socket_path(config.endpoints_socket),
        "ORIGIN_SOCKET": socket_path(config.origin_socket),
        "S3_HOST": plain(config.s3_host),
        "S3_URL": s3.url,
        "S3_TLS": s3.before,
        "S3_UPSTREAM": s3.upstream,
        "BUCKET": plain(config.bucket),
        "STATE_DIR": quotable(config.state_dir),
        "DENYLIST_DIR": quotable(config.denylist_dir),
        "SEGMENT_CACHE_MB": str(config.segment_cache_mb),
        "PROBLEM_PAGES": "\n".join(_problem_pages()),
        # The server before adds our usual headers to them.
        "ASKED_PROBLEM_PAGES": "\n".join(line for each in (400, 403, 429, 503) for line in _problem_page(each, [])),
    }
    return filled(TEMPLATE, values)


def _problem_pages() -> Iterator[str]:
    """nginx's own errors as problem documents: `error_page` for each, and the places that they point to."""
    for status in OWN_PROBLEMS:
        yield f"error_page {status} /_problem/{status};"
    for private, status in ALIASES.items():
        yield f"error_page {private} ={status} /_problem/{status};"
    headers = ["add_header Cache-Control no-store always;", *HEADERS.read_text().splitlines()]
    for status in OWN_PROBLEMS:
        yield from _problem_page(status, headers)


def _problem_page(status: int, headers: list[str]) -> Iterator[str]:
    code, detail = OWN_PROBLEMS[status]
    document = json.dumps(problem(status, code, detail, title=HTTPStatus(status).phrase)).replace("'", "\\'")
    yield f"location = /_problem/{status} {{"
    yield "    internal;"
    yield f"    default_type {PROBLEM_JSON};"
    for name, value in OWN_HEADERS.get(status, {}).items():
        yield f'    add_header {name} "{value}" always;'
    for line in headers:
        yield "    " + line
    yield f"    return {status} '{document}';"
    yield "}"
