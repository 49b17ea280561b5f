"""Routes for watching (start, heartbeat, renew, stop) and the operators' kick."""

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.blocks import BlockAnswer
from chalicelib.api.models.playback import (
    EndAnswer,
    HeartbeatRequest,
    KickAnswer,
    KickRequest,
    PlaybackAnswer,
    SessionRequest,
    StartAnswer,
    StartRequest,
)
from chalicelib.api.wire import playback_answer, start_answer
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.accounts.users import OPERATORS, VIEWERS
from chalicelib.domain.errors import DomainError
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.problems import STATUS_OF_END

routes = Routes("playback")
# Statuses of an ended session, by its end reason, and of an unknown session.
ENDS = frozenset({*STATUS_OF_END.values(), 404})


@routes.add(
    "POST",
    "/playback/start",
    roles=VIEWERS,
    body=StartRequest,
    status=201,
    limited=True,
    account=True,
    refusals={*ENDS, 409},
)
def start(call: Call) -> StartAnswer:
    """Open a session and buy its first lease."""
    try:
        opened = call.services.playback.start(call.user_id, client=call.client, **dict(call.body))
    except DomainError:
        call.services.monitoring.count_failed_start()
        raise
    return start_answer(call, opened)


@routes.add("POST", "/playback/heartbeat", roles=VIEWERS, body=HeartbeatRequest, refusals=ENDS)
def heartbeat(call: Call) -> PlaybackAnswer:
    """Buy the next lease. A problem with the end reason says that the session has ended."""
    beat = call.services.billing.heartbeat(call.user_id, call.body.session_id, call.body.seq)
    return playback_answer(call, beat)


@routes.add("POST", "/playback/renew", roles=VIEWERS, body=SessionRequest, refusals={*ENDS, 409})
def renew(call: Call) -> PlaybackAnswer:
    """Return a fresh play token inside the paid lease. Charges nothing."""
    return playback_answer(call, call.services.playback.renew(call.user_id, call.body.session_id))


@routes.add("POST", "/playback/stop", roles=VIEWERS, body=SessionRequest, refusals={404})
def stop(call: Call) -> EndAnswer:
    """End the caller's session and refund the rest of its lease. Stopping again returns the same end."""
    return _end_answer(call, call.services.playback.stop(call.user_id, call.body.session_id))


@routes.add("POST", "/playback/kick", roles=OPERATORS, key_scope=Scope.CANARY, body=KickRequest, refusals={404})
def kick(call: Call) -> KickAnswer:
    """End any session now and refund the rest of its lease, with a message to its viewer.

    With `block_minutes`, all sessions end that the block would refuse. A service key kicks synthetic viewers only.
    """
    kicked = call.services.kicks.kick(**dict(call.body), by=call.actor)
    end = _end_answer(call, kicked.record)
    return KickAnswer(**end.model_dump(), block=BlockAnswer.model_validate(kicked.block) if kicked.block else None)


def _end_answer(call: Call, record: SessionRecord) -> EndAnswer:
    wallet = call.services.ledger.wallet(record.user_id)
    return EndAnswer.model_validate({**vars(record), "balance_millipoints": wallet.balance_millipoints})
