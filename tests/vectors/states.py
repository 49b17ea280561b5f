"""The vectors of what session and stream have come to when a good token is shown."""

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

STATES = (
    *(
        Vector(name=f"ended and denied: {end.value}", expect=end.value, state=State(ended=end, denied=end))
        for end in EndReason
    ),
    *(
        Vector(
            name=f"{end.value} while it is watched",
            expect=end.value,
            state=State(ended=end, denied=end),
            after_a_good_one=True,
        )
        for end in (EndReason.KICKED, EndReason.BALANCE_EXHAUSTED)
    ),
    Vector(
        name="ended, with an expired token",
        expect="kicked",
        headers=bearer("{over}"),
        state=State(ended=EndReason.KICKED, denied=EndReason.KICKED),
    ),
    Vector(
        name="denied, a playlist",
        expect="kicked",
        target=A_PLAYLIST,
        state=State(ended=EndReason.KICKED, denied=EndReason.KICKED),
    ),
    Vector(
        name="denied, and not yet ended",
        expect="kicked",
        state=State(denied=EndReason.KICKED),
        differs=NOT_IN_THE_TABLES,
    ),
    Vector(
        name="denied while it is watched, and not yet ended",
        expect="kicked",
        state=State(denied=EndReason.KICKED),
        after_a_good_one=True,
        differs=NOT_IN_THE_TABLES,
    ),
    Vector(
        name="ended, and not yet denied",
        expect="superseded",
        state=State(ended=EndReason.SUPERSEDED),
        differs=NOT_AT_THE_EDGE,
    ),
    Vector(
        name="the stream is paused",
        expect="stream_paused",
        state=State(desired=DesiredState.PAUSED, stream_denied=EndReason.STREAM_PAUSED),
    ),
    Vector(
        name="the stream is stopped while it is watched",
        expect="stream_stopped",
        state=State(desired=DesiredState.STOPPED, stream_denied=EndReason.STREAM_STOPPED),
        after_a_good_one=True,
    ),
    Vector(
        name="the stream is denied, and the tables lag",
        expect="stream_paused",
        state=State(stream_denied=EndReason.STREAM_PAUSED),
        after_a_good_one=True,
        differs=NOT_IN_THE_TABLES,
    ),
    Vector(
        name="the stream is paused, and not yet denied",
        expect="stream_paused",
        state=State(desired=DesiredState.PAUSED),
        differs=NOT_AT_THE_EDGE,
    ),
    Vector(name="within the grace", expect=ALLOW, state=State(paid_ms=-GRACE_MS + 2_000)),
    # The token ends with the lease and the grace, so the edge says the same in another word.
    Vector(
        name="the lease is over",
        expect="lease_expired",
        state=State(paid_ms=-GRACE_MS),
        differs={Front.CLOUDFRONT: "token_expired"},
    ),
    Vector(
        name="the lease and the money are over",
        expect="balance_exhausted",
        state=State(paid_ms=-GRACE_MS, balance_millipoints=0),
        differs={Front.CLOUDFRONT: "token_expired"},
    ),
    # Such a token is never issued (`play_expiry_ms`).
    Vector(
        name="the lease is over and the token is not",
        expect="lease_expired",
        headers=bearer("{long}"),
        state=State(paid_ms=-GRACE_MS),
        differs=NOT_AT_THE_EDGE,
    ),
    # The edge can write nothing down, so it knows no first one, and the authorizer does not see who asks.
    Vector(
        name="bound to the first",
        expect=ALLOW,
        state=State(binding=SessionBinding.ENFORCE),
        differs={Front.AUTHORIZER: "session_bound_elsewhere"},
    ),
    Vector(
        name="bound elsewhere",
        expect="session_bound_elsewhere",
        state=State(binding=SessionBinding.ENFORCE, bound_to=ELSEWHERE),
        differs=NOT_AT_THE_EDGE,
    ),
    Vector(
        name="bound to another agent, a playlist",
        expect="session_bound_elsewhere",
        target=A_PLAYLIST,
        media=PLAYLIST,
        headers=(*bearer("{good}"), ("User-Agent", "another")),
        state=State(binding=SessionBinding.ENFORCE, bound_to=Client(ip="127.0.0.1", user_agent="mpv")),
        differs=NOT_AT_THE_EDGE,
    ),
    Vector(
        name="bound elsewhere, which is only noted",
        expect=ALLOW,
        state=State(binding=SessionBinding.WARN, bound_to=ELSEWHERE),
    ),
    Vector(
        name="bound elsewhere, and ended",
        expect="kicked",
        state=State(
            binding=SessionBinding.ENFORCE, bound_to=ELSEWHERE, ended=EndReason.KICKED, denied=EndReason.KICKED
        ),
    ),
    Vector(name="the store is silent", expect="unavailable", state=State(silent=True)),
    Vector(
        name="the store is silent about a playlist",
        expect="unavailable",
        target=A_PLAYLIST,
        state=State(silent=True),
    ),
)
