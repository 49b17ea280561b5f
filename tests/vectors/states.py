"""The vectors of what session and stream have come to when a good token is shown."""

from dataclasses import replace

from chalicelib.domain.access.clients import Client
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.lease import GRACE_MS
from chalicelib.domain.streams.stream import DesiredState, SessionBinding
from tests.vectors.model import (
    A_PLAYLIST,
    ALLOW,
    NOT_AT_THE_EDGE,
    NOT_IN_THE_TABLES,
    PLAYLIST,
    Front,
    State,
    Vector,
    bearer,
)

ELSEWHERE = Client(ip="192.0.2.1", user_agent="mpv")
KICKED = State(ended=EndReason.KICKED, denied=EndReason.KICKED)
DENIED = State(denied=EndReason.KICKED)
SUPERSEDED = State(ended=EndReason.SUPERSEDED)
PAUSED = State(desired=DesiredState.PAUSED)
PAUSED_AND_DENIED = State(desired=DesiredState.PAUSED, stream_denied=EndReason.STREAM_PAUSED)
STOPPED_AND_DENIED = State(desired=DesiredState.STOPPED, stream_denied=EndReason.STREAM_STOPPED)
LAPSED, LAPSED_AND_POOR = State(paid_ms=-GRACE_MS), State(paid_ms=-GRACE_MS, balance_millipoints=0)
BOUND = State(binding=SessionBinding.ENFORCE)
BOUND_ELSEWHERE = replace(BOUND, bound_to=ELSEWHERE)
BOUND_TO_ANOTHER_AGENT = replace(BOUND, bound_to=Client(ip="127.0.0.1", user_agent="mpv"))
OTHER_AGENT = (*bearer("{good}"), ("User-Agent", "another"))
# The token ends with the lease and the grace, so the edge says the same in another word.
EXPIRED_AT_THE_EDGE = {Front.CLOUDFRONT: "token_expired"}
# The edge can write nothing down, so it knows no first one, and the authorizer does not see who asks.
NOT_SEEN_BY_THE_AUTHORIZER = {Front.AUTHORIZER: "session_bound_elsewhere"}

STATES = (
    *(Vector(f"ended and denied: {end.value}", end.value, state=State(ended=end, denied=end)) for end in EndReason),
    *(
        Vector(f"{end.value} while it is watched", end.value, state=State(ended=end, denied=end), after_a_good_one=True)
        for end in (EndReason.KICKED, EndReason.BALANCE_EXHAUSTED)
    ),
    Vector("ended, with an expired token", "kicked", headers=bearer("{over}"), state=KICKED),
    Vector("denied, a playlist", "kicked", target=A_PLAYLIST, state=KICKED),
    Vector("denied, and not yet ended", "kicked", state=DENIED, differs=NOT_IN_THE_TABLES),
    Vector(
        "denied while it is watched, and not yet ended",
        "kicked",
        state=DENIED,
        after_a_good_one=True,
        differs=NOT_IN_THE_TABLES,
    ),
    Vector("ended, and not yet denied", "superseded", state=SUPERSEDED, differs=NOT_AT_THE_EDGE),
    Vector("the stream is paused", "stream_paused", state=PAUSED_AND_DENIED),
    Vector(
        "the stream is stopped while it is watched", "stream_stopped", state=STOPPED_AND_DENIED, after_a_good_one=True
    ),
    Vector(
        "the stream is denied, and the tables lag",
        "stream_paused",
        state=State(stream_denied=EndReason.STREAM_PAUSED),
        after_a_good_one=True,
        differs=NOT_IN_THE_TABLES,
    ),
    Vector("the stream is paused, and not yet denied", "stream_paused", state=PAUSED, differs=NOT_AT_THE_EDGE),
    Vector("within the grace", ALLOW, state=State(paid_ms=-GRACE_MS + 2_000)),
    Vector("the lease is over", "lease_expired", state=LAPSED, differs=EXPIRED_AT_THE_EDGE),
    Vector("the lease and the money are over", "balance_exhausted", state=LAPSED_AND_POOR, differs=EXPIRED_AT_THE_EDGE),
    # Such a token is never issued (`play_expiry_ms`).
    Vector(
        "the lease is over and the token is not",
        "lease_expired",
        headers=bearer("{long}"),
        state=LAPSED,
        differs=NOT_AT_THE_EDGE,
    ),
    Vector("bound to the first", ALLOW, state=BOUND, differs=NOT_SEEN_BY_THE_AUTHORIZER),
    Vector("bound elsewhere", "session_bound_elsewhere", state=BOUND_ELSEWHERE, differs=NOT_AT_THE_EDGE),
    Vector(
        "bound to another agent, a playlist",
        "session_bound_elsewhere",
        target=A_PLAYLIST,
        media=PLAYLIST,
        headers=OTHER_AGENT,
        state=BOUND_TO_ANOTHER_AGENT,
        differs=NOT_AT_THE_EDGE,
    ),
    Vector("bound elsewhere, which is only noted", ALLOW, state=State(binding=SessionBinding.WARN, bound_to=ELSEWHERE)),
    Vector(
        "bound elsewhere, and ended",
        "kicked",
        state=replace(KICKED, binding=SessionBinding.ENFORCE, bound_to=ELSEWHERE),
    ),
    Vector("the store is silent", "unavailable", state=State(silent=True)),
    Vector("the store is silent about a playlist", "unavailable", target=A_PLAYLIST, state=State(silent=True)),
)
