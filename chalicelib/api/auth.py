"""Routes for login, refresh and logout."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import LoginAnswer, LoginRequest, RefreshRequest
from chalicelib.api.wire import login_answer
from chalicelib.domain.accounts.users import Role

routes = Routes("auth")


@routes.add("POST", "/auth/login", role=None, body=LoginRequest, limited=True, refusals={401})
def login(call: Call) -> LoginAnswer:
    """Log in with email and password."""
    return login_answer(call.services.auth.login(call.body.email, call.body.password, ip=call.client.ip))


@routes.add("POST", "/auth/refresh", role=None, body=RefreshRequest, refusals={401})
def refresh(call: Call) -> LoginAnswer:
    """Exchange a refresh token for fresh tokens. The old refresh token is used up."""
    return login_answer(call.services.auth.refresh(call.body.refresh_token))


@routes.add("POST", "/auth/logout", role=None, body=RefreshRequest, status=204, refusals={401})
def logout(call: Call) -> None:
    """Revoke the login of a refresh token."""
    call.services.auth.logout(call.body.refresh_token)


@routes.add("POST", "/auth/logout-everywhere", role=Role.VIEWER, status=204, account=True)
def logout_everywhere(call: Call) -> None:
    """End all logins and sessions of the caller, the login of this access token included."""
    call.services.credentials.logout_everywhere(call.user_id)
