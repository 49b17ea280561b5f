"""Routes for sessions, accounts and money, of operators and, some of them, of service keys."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import (
    CreateUserRequest,
    EditUserRequest,
    ErasedAnswer,
    LookupAnswer,
    LookupQuery,
    UserAnswer,
)
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.playback import SessionAnswer, SessionsQuery
from chalicelib.api.models.wallets import CreditRequest, LedgerItem, PaymentAnswer, ReverseRequest, WalletAnswer
from chalicelib.api.wire import wallet_answer
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import ADMINS, FINANCE, STAFF, Role
from chalicelib.domain.errors import Conflict
from chalicelib.services.access.playback import LiveSession

routes = Routes("admin")


@routes.add("GET", "/sessions", roles=STAFF, query=SessionsQuery)
def list_sessions(call: Call) -> ListAnswer[SessionAnswer]:
    """List who is watching and from where. Ended sessions need a stream or a user."""
    page = call.services.playback.listing(
        stream_id=call.query.stream_id,
        user_id=call.query.user_id,
        active=call.query.state == "active",
        limit=call.query.limit,
        cursor=call.query.cursor,
    )
    return ListAnswer(items=[_session(live) for live in page.items], next_cursor=page.next_cursor)


@routes.add("GET", "/users", roles=STAFF, query=ListQuery)
def list_users(call: Call) -> ListAnswer[UserAnswer]:
    """List all accounts. A page may be short before the end."""
    return ListAnswer[UserAnswer].model_validate(call.services.accounts.listing(**dict(call.query)))


@routes.add("GET", "/users/lookup", roles=STAFF, key_scope=Scope.CREDIT, query=LookupQuery, refusals={404})
def look_up_user(call: Call) -> LookupAnswer:
    """Return the id of the account with an email or an id, and whether it is disabled."""
    query = call.query
    user_id = query.user_id or call.services.accounts.id_of(query.email)
    return LookupAnswer.model_validate(call.services.accounts.get(user_id))


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


@routes.add("GET", "/wallets/{user_id}", roles=FINANCE)
def user_wallet(call: Call, user_id: str) -> WalletAnswer:
    """Return a user's wallet."""
    return wallet_answer(call, call.services.ledger.wallet(user_id))


@routes.add("GET", "/wallets/{user_id}/ledger", roles=FINANCE, query=ListQuery)
def user_ledger(call: Call, user_id: str) -> ListAnswer[LedgerItem]:
    """List a user's ledger, newest first."""
    return ListAnswer[LedgerItem].model_validate(call.services.ledger.entries(user_id, **dict(call.query)))


@routes.add(
    "POST",
    "/wallets/{user_id}/credit",
    roles=FINANCE,
    key_scope=Scope.CREDIT,
    body=CreditRequest,
    keys_answer=PaymentAnswer,
    refusals={409},
)
def credit_wallet(call: Call, user_id: str) -> WalletAnswer | PaymentAnswer:
    """Add points, or remove some with a negative amount: exactly once for each `payment_id`."""
    given = {name: value for name, value in call.body if value is not None}
    if call.key is None:
        return wallet_answer(call, call.services.payments.credit(user_id, by=call.actor, **given))
    # Without the balance and what the user watches: a key sees its own payments only.
    given = {"source": call.key.name, **given}
    call.services.payments.credit(user_id, by=call.actor, **given)
    return PaymentAnswer.model_validate(call.services.ledger.payment(call.body.payment_id))


@routes.add("GET", "/payments/{payment_id}", roles=FINANCE, key_scope=Scope.CREDIT)
def payment(call: Call, payment_id: str) -> PaymentAnswer:
    """Return a payment. A service key sees those that it made."""
    return PaymentAnswer.model_validate(call.services.chargebacks.find(payment_id, by=call.actor))


@routes.add(
    "POST",
    "/payments/{payment_id}/reverse",
    roles=FINANCE,
    key_scope=Scope.CREDIT,
    body=ReverseRequest,
    refusals={409},
)
def reverse_payment(call: Call, payment_id: str) -> PaymentAnswer:
    """Take a payment back, at most what the wallet holds. Once: a repetition returns the same.

    A service key reverses payments that it made.
    """
    done = call.services.chargebacks.reverse(payment_id, **dict(call.body), by=call.actor)
    return PaymentAnswer.model_validate(done)


def _session(live: LiveSession) -> SessionAnswer:
    client = live.client
    values = {**vars(live.record), "active": live.record.active, "paid_until_ms": None}
    values |= {"ip": client.ip if client else None, "user_agent": client.user_agent if client else None}
    if live.session is not None:
        values["charged_millipoints"] = live.session.charged_millipoints
        values["paid_until_ms"] = live.session.paid_until_ms
    return SessionAnswer.model_validate(values)
