"""Routes for the wallets and payments of all users, of finance and, some of them, of service keys."""

from chalice.app import Response

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.wallets import (
    CreditRequest,
    DailyCapRequest,
    LedgerItem,
    PaymentAnswer,
    PaymentsQuery,
    ReverseRequest,
    StatementAnswer,
    StatementQuery,
    WalletAnswer,
)
from chalicelib.api.money.statements import statement_response
from chalicelib.api.wire import wallet_answer
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import FINANCE
from chalicelib.domain.money.lists import PaymentFilter

routes = Routes("wallets")


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


@routes.add(
    "GET",
    "/wallets/{user_id}/ledger/export",
    roles=FINANCE,
    query=StatementQuery,
    other_types={"text/csv": {"type": "string"}},
)
def user_statement(call: Call, user_id: str) -> StatementAnswer | Response:
    """Export a user's ledger from its start, as the user's own export. Large ledgers come in parts."""
    return statement_response(call, user_id)


@routes.add("PUT", "/wallets/{user_id}/cap", roles=FINANCE, body=DailyCapRequest)
def user_daily_cap(call: Call, user_id: str) -> WalletAnswer:
    """Set or remove a user's daily cap. What was spent today stays spent, and the user can change it again."""
    cap_millipoints = call.body.daily_cap_millipoints
    return wallet_answer(call, call.services.payments.set_daily_cap(user_id, cap_millipoints, by=call.actor))


@routes.add("GET", "/payments", roles=FINANCE, query=PaymentsQuery)
def list_payments(call: Call) -> ListAnswer[PaymentAnswer]:
    """List payments, newest first: all, or by user, source, time and how the payment id begins.

    With `q` and without a user they are in the order of their ids.
    """
    query = call.query
    wanted = PaymentFilter(
        user_id=query.user_id, source=query.source, begins=query.q, from_ms=query.from_ms, to_ms=query.to_ms
    )
    page = call.services.payments.listing(wanted, limit=query.limit, cursor=query.cursor)
    return ListAnswer[PaymentAnswer].model_validate(page)


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
