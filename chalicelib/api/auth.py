"""Logging in, staying so, logging out."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import LoginAnswer, LoginRequest, RefreshRequest, UserAnswer
from chalicelib.services.auth import Login

routes = Routes("auth")


@routes.add("POST", "/auth/login", role=None, body=LoginRequest, answer=LoginAnswer, limited=True)
def login(call: Call) -> LoginAnswer:
    """Log in with email and password."""
    return _answer(call.services.auth.login(call.body.email, call.body.password, ip=call.ip))


@routes.add("POST", "/auth/refresh", role=None, body=RefreshRequest, answer=LoginAnswer)
def refresh(call: Call) -> LoginAnswer:
    """Exchange a refresh token for fresh tokens; the old refresh token is used up."""
    return _answer(call.services.auth.refresh(call.body.refresh_token))


@routes.add("POST", "/auth/logout", role=None, body=RefreshRequest, answer=None, status=204)
def logout(call: Call) -> None:
    """Revoke the login that a refresh token belongs to."""
    call.services.auth.logout(call.body.refresh_token)


def _answer(login: Login) -> LoginAnswer:
    return LoginAnswer(
        access_token=login.access_token,
        refresh_token=login.refresh_token,
        expires_in=login.expires_in_s,
        user=UserAnswer.model_validate(login.user),
    )
