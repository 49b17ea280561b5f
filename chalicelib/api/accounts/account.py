"""Routes of a viewer's own account. The caller's id is the key, so they reach no other account."""

from chalice.app import Response

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import ChangePasswordRequest, LoginAnswer, UserAnswer
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.playback import OwnSessionAnswer
from chalicelib.api.models.wallets import DailyCapRequest, LedgerItem, StatementAnswer, StatementQuery, WalletAnswer
from chalicelib.api.money.statements import statement_response
from chalicelib.api.wire import login_answer, wallet_answer
from chalicelib.domain.accounts.users import VIEWERS

routes = Routes("account")


@routes.add("GET", "/me", roles=VIEWERS, account=True, refusals={404})
def me(call: Call) -> UserAnswer:
    """Return the caller's account."""
    return UserAnswer.model_validate(call.services.accounts.get(call.user_id))


@routes.add(
    "POST", "/me/password", roles=VIEWERS, body=ChangePasswordRequest, limited=True, account=True, refusals={404}
)
def change_my_password(call: Call) -> LoginAnswer:
    """Set a new password. Ends all logins and sessions of the account, and returns a fresh login."""
    body = call.body
    login = call.services.credentials.change_password(
        call.user_id, body.current_password, body.new_password, ip=call.client.ip
    )
    return login_answer(login)


@routes.add("GET", "/me/wallet", roles=VIEWERS, refusals={404})
def my_wallet(call: Call) -> WalletAnswer:
    """Return the caller's balance and active sessions."""
    return wallet_answer(call, call.services.ledger.wallet(call.user_id))


@routes.add("PUT", "/me/wallet/cap", roles=VIEWERS, body=DailyCapRequest, account=True, refusals={404})
def my_daily_cap(call: Call) -> WalletAnswer:
    """Set or remove the daily cap. What was spent today stays spent."""
    return wallet_answer(call, call.services.ledger.set_daily_cap(call.user_id, call.body.daily_cap_millipoints))


@routes.add("GET", "/me/ledger", roles=VIEWERS, query=ListQuery, refusals={404})
def my_ledger(call: Call) -> ListAnswer[LedgerItem]:
    """List every change of the balance, newest first."""
    return ListAnswer[LedgerItem].model_validate(call.services.ledger.entries(call.user_id, **dict(call.query)))


@routes.add(
    "GET",
    "/me/ledger/export",
    roles=VIEWERS,
    query=StatementQuery,
    refusals={404},
    other_types={"text/csv": {"type": "string"}},
)
def my_statement(call: Call) -> StatementAnswer | Response:
    """Export the ledger from its start, as JSON or CSV, for `player verify`. Large ledgers come in parts."""
    return statement_response(call, call.user_id)


@routes.add("GET", "/me/sessions", roles=VIEWERS, query=ListQuery)
def my_sessions(call: Call) -> ListAnswer[OwnSessionAnswer]:
    """List the caller's sessions, newest first."""
    page = call.services.playback.sessions_of(call.user_id, **dict(call.query))
    return ListAnswer[OwnSessionAnswer].model_validate(page)


@routes.add("GET", "/me/sessions/{session_id}", roles=VIEWERS)
def my_session(call: Call, session_id: str) -> OwnSessionAnswer:
    """Return one of the caller's sessions, with the media served up to a few seconds ago."""
    record = call.services.billing.record_of(call.user_id, session_id)
    served = call.services.reconciliation.served(session_id)
    answer = OwnSessionAnswer.model_validate(record)
    return answer.model_copy(update={"media_ms": served.media_ms, "media_bytes": served.media_bytes})


@routes.add("GET", "/me/sessions/{session_id}/ledger", roles=VIEWERS, query=ListQuery)
def my_session_ledger(call: Call, session_id: str) -> ListAnswer[LedgerItem]:
    """List what a session paid and got back, oldest first."""
    record = call.services.billing.record_of(call.user_id, session_id)
    return ListAnswer[LedgerItem].model_validate(call.services.statements.session_page(record, **dict(call.query)))
