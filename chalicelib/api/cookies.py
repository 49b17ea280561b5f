"""The refresh token of a browser: a cookie that no script reads, and the check that a page of ours sends it.

The cookie answers a script that was injected into a page: it cannot take the login with it. What a cookie brings with
it, that other sites can make a browser send it, is answered three times: by `SameSite=Strict`, by a header that no
form can set and that another site may not send, and by what the browser says of the page that sends the request.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.errors import CrossSite

NAME = "tollcast_refresh"
PATH = "/auth/browser"
# The dashboard renews it while somebody uses it, so this is the time after which an idle login ends.
TTL_S = 30 * 60
TOKEN_CHARS_MAX = 2048
CSRF_HEADER, CSRF_VALUE = "X-CSRF", "1"
# The browser's own word for where a request comes from (Fetch Metadata). A script cannot set it.
FETCH_SITE = "sec-fetch-site"
_ATTRIBUTES = f"Path={PATH}; Secure; HttpOnly; SameSite=Strict"


def check_same_origin(headers: Mapping[str, str]) -> None:
    """Raise `CrossSite` unless a page of this origin sends the request."""
    if headers.get(CSRF_HEADER.lower()) != CSRF_VALUE:
        raise CrossSite(f"Send the header `{CSRF_HEADER}: {CSRF_VALUE}`.")
    if headers.get(FETCH_SITE, "same-origin") != "same-origin":
        raise CrossSite("Another site sends this request. Only a page of this address may.")


def refresh_token_of(headers: Mapping[str, str]) -> str:
    """Return the refresh token of a request's cookie, empty if it has none that can be one.

    `http.cookies` would give up at the first cookie that it cannot read, which may be one of another program: on
    127.0.0.1 all ports share their cookies.
    """
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == NAME and len(value) <= TOKEN_CHARS_MAX:
            return value
    return ""


def with_token(refresh_token: str) -> dict[str, str]:
    """Return the header that stores a refresh token."""
    return {"Set-Cookie": f"{NAME}={refresh_token}; Max-Age={TTL_S}; {_ATTRIBUTES}"}


def without_token() -> dict[str, str]:
    """Return the header that removes the cookie."""
    return {"Set-Cookie": f"{NAME}=; Max-Age=0; {_ATTRIBUTES}"}
