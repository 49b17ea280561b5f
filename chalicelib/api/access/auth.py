"""Routes for login, refresh and logout, and for service keys."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import LoginAnswer, LoginRequest, RefreshRequest
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.service_keys import CreateKeyRequest, NewKeyAnswer, RotateKeyRequest, ServiceKeyAnswer
from chalicelib.api.wire import login_answer
from chalicelib.domain.accounts.users import ADMINS, VIEWERS
from chalicelib.services.access.service_keys import NewKey

routes = Routes("auth")


@routes.add("POST", "/auth/login", roles=None, body=LoginRequest, limited=True, refusals={401})
def login(call: Call) -> LoginAnswer:
    """Log in with email and password."""
    client = call.client
    login = call.services.auth.login(call.body.email, call.body.password, ip=client.ip, user_agent=client.user_agent)
    return login_answer(login)


@routes.add("POST", "/auth/refresh", roles=None, body=RefreshRequest, refusals={401})
def refresh(call: Call) -> LoginAnswer:
    """Exchange a refresh token for fresh tokens. The old refresh token is used up."""
    return login_answer(call.services.auth.refresh(call.body.refresh_token))


@routes.add("POST", "/auth/logout", roles=None, body=RefreshRequest, status=204, refusals={401})
def logout(call: Call) -> None:
    """Revoke the login of a refresh token."""
    call.services.auth.logout(call.body.refresh_token)


@routes.add("POST", "/auth/logout-everywhere", roles=VIEWERS, status=204, account=True)
def logout_everywhere(call: Call) -> None:
    """End all logins and sessions of the caller, the login of this access token included."""
    call.services.credentials.logout_everywhere(call.user_id)


@routes.add("GET", "/service-keys", roles=ADMINS, query=ListQuery)
def list_keys(call: Call) -> ListAnswer[ServiceKeyAnswer]:
    """List all service keys, expired and revoked ones included, without secrets."""
    return ListAnswer[ServiceKeyAnswer].model_validate(call.services.service_keys.listing(**dict(call.query)))


@routes.add("POST", "/service-keys", roles=ADMINS, body=CreateKeyRequest, status=201, refusals={409})
def create_key(call: Call) -> NewKeyAnswer:
    """Create a service key. Its secret is shown only in this answer."""
    return _new_key(call.services.service_keys.create(**dict(call.body), by=call.actor))


@routes.add("POST", "/service-keys/{key_id}/rotate", roles=ADMINS, body=RotateKeyRequest, refusals={409})
def rotate_key(call: Call, key_id: str) -> NewKeyAnswer:
    """Give a service key a new secret. Older ones end at once or after an overlap."""
    return _new_key(call.services.service_keys.rotate(key_id, **dict(call.body), by=call.actor))


@routes.add("DELETE", "/service-keys/{key_id}", roles=ADMINS)
def revoke_key(call: Call, key_id: str) -> ServiceKeyAnswer:
    """Revoke a service key for good, from the next request on. It stays in the list."""
    return ServiceKeyAnswer.model_validate(call.services.service_keys.revoke(key_id, by=call.actor))


def _new_key(new: NewKey) -> NewKeyAnswer:
    return NewKeyAnswer.model_validate({**vars(new.key), "key": new.token})
