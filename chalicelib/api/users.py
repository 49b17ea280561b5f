"""Routes for accounts, of the staff."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import (
    CreateUserRequest,
    EditUserRequest,
    ErasedAnswer,
    LookupAnswer,
    LookupQuery,
    UserAnswer,
    UsersQuery,
)
from chalicelib.api.models.common import ListAnswer
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import ADMINS, STAFF, Role
from chalicelib.domain.errors import Conflict

routes = Routes("users")


@routes.add("GET", "/users", roles=STAFF, query=UsersQuery)
def list_users(call: Call) -> ListAnswer[UserAnswer]:
    """List accounts by email, in lower case: all, or by the beginning of the email or the id, role, `disabled`."""
    return ListAnswer[UserAnswer].model_validate(call.services.accounts.listing(**dict(call.query)))


@routes.add("GET", "/users/lookup", roles=STAFF, key_scope=Scope.CREDIT, query=LookupQuery, refusals={404})
def look_up_user(call: Call) -> LookupAnswer:
    """Return the id of the account with an email or an id, and whether it is disabled."""
    query = call.query
    user_id = query.user_id or call.services.accounts.id_of(query.email)
    return LookupAnswer.model_validate(call.services.accounts.get(user_id))


@routes.add("GET", "/users/{user_id}", roles=STAFF)
def user(call: Call, user_id: str) -> UserAnswer:
    """Return an account. Of an erased one nothing but the id is kept, which is 404."""
    return UserAnswer.model_validate(call.services.accounts.get(user_id))


@routes.add("POST", "/users", roles=ADMINS, body=CreateUserRequest, status=201, refusals={409})
def create_user(call: Call) -> UserAnswer:
    """Create an account with an empty wallet."""
    return UserAnswer.model_validate(call.services.accounts.create(**dict(call.body), by=call.actor))


@routes.add("PATCH", "/users/{user_id}", roles=ADMINS, body=EditUserRequest, refusals={409})
def edit_user(call: Call, user_id: str) -> UserAnswer:
    """Change password, role or `disabled`. A password or disabling ends all logins and sessions.

    Admins cannot disable their own account or change its role.
    """
    if user_id == call.user_id and (call.body.disabled or call.body.role not in (None, Role.ADMIN)):
        # The last admin could lock everyone out.
        raise Conflict("You cannot disable your own account or remove its role admin. Ask another admin.")
    changes = {name: value for name, value in call.body if value is not None}
    user = call.services.accounts.change(user_id, **changes, by=call.actor)
    return UserAnswer.model_validate(user)


@routes.add("POST", "/users/{user_id}/erase", roles=ADMINS)
def erase_user(call: Call, user_id: str) -> ErasedAnswer:
    """Erase a person for good. Account, email and addresses go; all sums stay. After 503 `busy`, call it again."""
    if user_id == call.user_id:
        # The audit entry would store the address of an erased person, and the last admin could erase the account.
        raise Conflict("You cannot erase your own account. Ask another admin.")
    erased_at_ms = call.services.erasure.erase(user_id, by=call.actor)
    return ErasedAnswer(user_id=user_id, erased_at_ms=erased_at_ms)
