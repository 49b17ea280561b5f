"""A viewer's own account: only ever their own, since the caller's id is the key."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.accounts import UserAnswer
from chalicelib.api.models.common import ListAnswer, ListQuery
from chalicelib.api.models.playback import OwnSessionAnswer
from chalicelib.api.models.wallets import LedgerItem, WalletAnswer
from chalicelib.api.wire import ledger_answer, wallet_answer
from chalicelib.domain.users import Role

routes = Routes("account")


@routes.add("GET", "/me", role=Role.VIEWER, answer=UserAnswer)
def me(call: Call) -> UserAnswer:
    """Who one is."""
    return UserAnswer.model_validate(call.services.accounts.get(call.user_id))


@routes.add("GET", "/me/wallet", role=Role.VIEWER, answer=WalletAnswer)
def my_wallet(call: Call) -> WalletAnswer:
    """Balance and active sessions."""
    return wallet_answer(call.services.ledger.wallet(call.user_id))


@routes.add("GET", "/me/ledger", role=Role.VIEWER, query=ListQuery, answer=ListAnswer[LedgerItem])
def my_ledger(call: Call) -> ListAnswer[LedgerItem]:
    """Every change of the balance, newest first."""
    page = call.services.ledger.entries(call.user_id, limit=call.query.limit, cursor=call.query.cursor)
    return ledger_answer(page)


@routes.add("GET", "/me/sessions", role=Role.VIEWER, query=ListQuery, answer=ListAnswer[OwnSessionAnswer])
def my_sessions(call: Call) -> ListAnswer[OwnSessionAnswer]:
    """One's own sessions, newest first."""
    page = call.services.playback.own(call.user_id, limit=call.query.limit, cursor=call.query.cursor)
    items = [OwnSessionAnswer.model_validate(record) for record in page.items]
    return ListAnswer(items=items, next_cursor=page.next_cursor)


@routes.add("GET", "/me/sessions/{session_id}", role=Role.VIEWER, answer=OwnSessionAnswer)
def my_session(call: Call, session_id: str) -> OwnSessionAnswer:
    """One of one's own sessions, with what it was served until a few seconds ago."""
    record, served = call.services.reconciliation.own_session(call.user_id, session_id)
    answer = OwnSessionAnswer.model_validate(record)
    return answer.model_copy(update={"media_ms": served.media_ms, "media_bytes": served.media_bytes})
