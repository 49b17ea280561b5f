"""Routes for the wallets and payments of all users, of finance and, some of them, of service keys."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.wallets import CreditRequest, LedgerItem, PaymentAnswer, ReverseRequest, WalletAnswer
from chalicelib.api.wire import wallet_answer
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import FINANCE

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
