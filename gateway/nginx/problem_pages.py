"""nginx's own errors as problem documents."""

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus

from chalicelib.problems import PROBLEM_JSON, problem

# What nginx itself may respond: status -> (code, detail).
PROBLEMS = {
    400: ("invalid_request", "This is not a valid HTTP request."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address accepts GET and HEAD."),
    408: ("request_timeout", "The request took too long to arrive."),
    413: ("body_too_large", "The body may have at most 65536 bytes."),
    414: ("address_too_long", "The address is too long."),
    416: ("range_not_satisfiable", "The requested range is beyond the end of the object."),
    429: ("too_many_requests", "Too many requests or segments at once. Try again in a moment."),
    431: ("headers_too_large", "The request's headers are too large."),
    500: ("internal_error", "An internal error occurred. It was logged."),
    501: ("not_implemented", "This transfer coding is not supported."),
    502: ("unavailable", "A part of the platform does not respond. Try again in a moment."),
    503: ("unavailable", "A part of the platform does not respond. Try again in a moment."),
    504: ("unavailable", "A part of the platform took too long. Try again in a moment."),
}
HEADERS = {
    405: {"Allow": "GET, HEAD"},
    429: {"Retry-After": "1"},
    502: {"Retry-After": "1"},
    503: {"Retry-After": "1"},
}
# The refusal of the hold (hold.lua): the name of its page is its code.
AHEAD_OF_PAYMENT = "ahead_of_payment"
AHEAD_DETAIL = (
    "This session has fetched all that is paid for, and what may be fetched ahead. The next heartbeat pays for more."
)
# The page where the dashboard is, while it is not built.
NO_DASHBOARD = "no_dashboard"
NO_DASHBOARD_DETAIL = "The dashboard is not built. Build it with `make up`, or `python -m infra.dashboard build`."
# nginx's private statuses that have a public one.
ALIASES = {494: 431}
# What the origin server may respond. The public server adds the usual headers.
ORIGIN_STATUSES = (400, 403, 429, 503)


def public_problem_pages(common: Iterable[str]) -> str:
    """Return `error_page` for every error, and the locations behind them, which include the directives `common`."""
    lines = [f"error_page {status} /_problem/{status};" for status in PROBLEMS]
    lines += [f"error_page {private} ={status} /_problem/{status};" for private, status in ALIASES.items()]
    for status, (code, detail) in PROBLEMS.items():
        lines += _page(str(status), status, code, detail, common)
    lines += _page(AHEAD_OF_PAYMENT, 429, AHEAD_OF_PAYMENT, AHEAD_DETAIL, common)
    lines += _page(NO_DASHBOARD, 404, "not_found", NO_DASHBOARD_DETAIL, common)
    return "\n".join(lines)


def origin_problem_pages() -> str:
    """Return the locations of the errors of the origin server."""
    return "\n".join(line for status in ORIGIN_STATUSES for line in _page(str(status), status, *PROBLEMS[status], ()))


def _page(name: str, status: int, code: str, detail: str, common: Iterable[str]) -> Iterator[str]:
    document = json.dumps(problem(status, code, detail, title=HTTPStatus(status).phrase)).replace("'", "\\'")
    yield f"location = /_problem/{name} {{"
    yield "    internal;"
    yield f"    default_type {PROBLEM_JSON};"
    for name, value in HEADERS.get(status, {}).items():
        yield f'    add_header {name} "{value}" always;'
    for directive in common:
        yield f"    {directive}"
    yield f"    return {status} '{document}';"
    yield "}"
