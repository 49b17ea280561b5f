"""Routes for accounts, of the staff."""

from collections.abc import Mapping

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import (
    CreateUserRequest,
    EditableUserAnswer,
    EditUserRequest,
    ErasedAnswer,
    LookupAnswer,
    LookupQuery,
    UserAnswer,
    UsersQuery,
)
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.timeline import TimelineItem
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import ADMINS, STAFF, Role
from chalicelib.domain.errors import Conflict
from chalicelib.domain.timeline import Event

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


@routes.add("POST", "/users", roles=ADMINS, body=CreateUserRequest, status=201, etag=True, refusals={409})
def create_user(call: Call) -> EditableUserAnswer:
    """Create an account with an empty wallet."""
    return EditableUserAnswer.model_validate(call.services.accounts.create(**dict(call.body), by=call.actor))


@routes.add("GET", "/users/{user_id}", roles=STAFF, etag=True)
def get_user(call: Call, user_id: str) -> EditableUserAnswer:
    """Return an account."""
    return EditableUserAnswer.model_validate(call.services.accounts.get(user_id))


@routes.add("PATCH", "/users/{user_id}", roles=ADMINS, body=EditUserRequest, etag=True, if_match=True, refusals={409})
def edit_user(call: Call, user_id: str) -> EditableUserAnswer:
    """Change password, role or `disabled`. A password or disabling ends all logins and sessions.

    Admins cannot disable their own account or change its role.
    """
    if user_id == call.user_id and (call.body.disabled or call.body.role not in (None, Role.ADMIN)):
        # The last admin could lock everyone out.
        raise Conflict("You cannot disable your own account or remove its role admin. Ask another admin.")
    changes = {name: value for name, value in call.body if value is not None}
    user = call.services.accounts.change(user_id, **changes, by=call.actor, expected=call.expected)
    return EditableUserAnswer.model_validate(user)


@routes.add("GET", "/users/{user_id}/timeline", roles=STAFF, query=ListQuery)
def user_timeline(call: Call, user_id: str) -> ListAnswer[TimelineItem]:
    """List sessions, payments, logins and operators' acts of a user together, newest first.

    Logins stay as long as addresses are kept, acts for 400 days. What happened in the last second may be missing.
    """
    page = call.services.timelines.page(user_id, **dict(call.query))
    emails = call.services.accounts.emails({event.act.by_user_id for event in page.items if event.act})
    return ListAnswer(items=[_event(event, emails) for event in page.items], next_cursor=page.next_cursor)


@routes.add("POST", "/users/{user_id}/erase", roles=ADMINS)
def erase_user(call: Call, user_id: str) -> ErasedAnswer:
    """Erase a person for good. Account, email and addresses go; all sums stay. After 503 `busy`, call it again."""
    if user_id == call.user_id:
        # The audit entry would store the address of an erased person, and the last admin could erase the account.
        raise Conflict("You cannot erase your own account. Ask another admin.")
    erased_at_ms = call.services.erasure.erase(user_id, by=call.actor)
    return ErasedAnswer(user_id=user_id, erased_at_ms=erased_at_ms)


def _event(event: Event, emails: Mapping[str, str]) -> TimelineItem:
    login, act = event.login, event.act
    values = {
        **vars(event),
        "login": login and vars(login.client),
        "act": act and {**vars(act.action), "action": act.action.name, **_author(act.by_user_id, emails)},
    }
    return TimelineItem.model_validate(values)


def _author(by_user_id: str, emails: Mapping[str, str]) -> dict[str, str | None]:
    return {"by_user_id": by_user_id, "by_email": emails.get(by_user_id)}
