"""Routes for the logins of browsers: the refresh token is in a cookie and in no body."""

from contextlib import suppress

from chalice.app import Response

from chalicelib.api.answers import make_response
from chalicelib.api.cookies import with_token, without_token
from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import BrowserLoginAnswer, LoginRequest
from chalicelib.api.wire import browser_login_answer
from chalicelib.domain.errors import Unauthenticated
from chalicelib.services.access.auth import Login

routes = Routes("browser_auth")


@routes.add("POST", "/auth/browser/login", roles=None, body=LoginRequest, limited=True, browser=True, refusals={401})
def browser_login(call: Call) -> BrowserLoginAnswer | Response:
    """Log a browser in with email and password. The refresh token is in a cookie."""
    client = call.client
    return _answer(
        call.services.auth.login(call.body.email, call.body.password, ip=client.ip, user_agent=client.user_agent)
    )


@routes.add("POST", "/auth/browser/refresh", roles=None, browser=True, refusals={401})
def browser_refresh(call: Call) -> BrowserLoginAnswer | Response:
    """Exchange the cookie for a fresh access token and cookie."""
    if not call.cookie:
        raise Unauthenticated("There is no login in this browser. Log in.")
    return _answer(call.services.auth.refresh(call.cookie))


@routes.add("POST", "/auth/browser/logout", roles=None, status=204, browser=True)
def browser_logout(call: Call) -> Response | None:
    """Revoke the login of the cookie, and remove the cookie. Without one, only remove it."""
    if call.cookie:
        # Of what is no token of ours, there is nothing to revoke.
        with suppress(Unauthenticated):
            call.services.auth.logout(call.cookie)
    return make_response("", "application/json", 204, without_token())


def _answer(login: Login) -> Response:
    answer = browser_login_answer(login)
    return make_response(answer.model_dump_json(), "application/json", 200, with_token(login.refresh_token))
