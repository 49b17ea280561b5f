"""Access vectors: a request, the state of the platform, and the expected decision of each front.

A front that differs from the others does so by a table: `TOLD_AS` for all vectors, `Vector.differs` for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.access.clients import Client
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.streams.stream import DesiredState, SessionBinding
from chalicelib.problems import STATUS_OF_END

ALLOW = "allow"
SEGMENT, PLAYLIST, RENDITION = "720p/1-000001.ts", "index.m3u8", "720p/index.m3u8"
BALANCE_MILLIPOINTS = MILLIPOINTS_MAX // 2


class Front(StrEnum):
    """The fronts that authorize media requests."""

    AUTHORIZER = "authorizer"
    NGINX = "nginx"
    CLOUDFRONT = "cloudfront"


STATUS_OF_CODE = {
    ALLOW: 200,
    "session_bound_elsewhere": 403,
    "invalid_request": 400,
    "token_invalid": 401,
    "token_expired": 401,
    "not_found": 404,
    "method_not_allowed": 405,
    "address_too_long": 414,
    "unavailable": 503,
    **{reason.value: status for reason, status in STATUS_OF_END.items()},
}
# An authorizer judges tokens and nothing else: what is no address of media is no session's.
TOLD_AS: Mapping[Front, Mapping[str, str]] = {
    Front.AUTHORIZER: {"not_found": "token_invalid", "method_not_allowed": "token_invalid"},
    Front.NGINX: {},
    Front.CLOUDFRONT: {},
}
# For `Vector.differs`. The edge knows the token and the denylist, but not the tables.
NOT_AT_THE_EDGE = {Front.CLOUDFRONT: ALLOW}
# The authorizer has no denylist: it asks the tables, at most a second later.
NOT_IN_THE_TABLES = {Front.AUTHORIZER: ALLOW}
# Where media is, from the root.
A_SEGMENT, A_PLAYLIST = "/play/{session}/" + SEGMENT, "/play/{session}/" + PLAYLIST


@dataclass(frozen=True, kw_only=True)
class State:
    """The state of the session and its stream at the time of the request."""

    paid_ms: int = 10_000
    balance_millipoints: int = BALANCE_MILLIPOINTS
    ended: EndReason | None = None
    # On the denylist, whatever the tables say: it is written first.
    denied: EndReason | None = None
    desired: DesiredState = DesiredState.LIVE
    stream_denied: EndReason | None = None
    binding: SessionBinding = SessionBinding.OFF
    # The client that the session is bound to, if any.
    bound_to: Client | None = None
    # The store of the front's knowledge does not answer.
    silent: bool = False


OPEN = State()


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A vector. Names in braces in `target` and `headers` stand for sessions, the stream and tokens (`case.py`)."""

    name: str
    expect: str
    target: str = A_SEGMENT
    # What is served to whom it is allowed.
    media: str = SEGMENT
    stream: str = "{stream}"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = (("Authorization", "Bearer {good}"),)
    state: State = OPEN
    # A good request was answered with media just before the state became what it is.
    after_a_good_one: bool = False
    differs: Mapping[Front, str] = field(default_factory=dict)

    def expected(self, front: Front) -> str:
        """`ALLOW`, or the code of the refusal."""
        return self.differs.get(front) or TOLD_AS[front].get(self.expect, self.expect)


@dataclass(frozen=True)
class Answer:
    """A front's decision: the code of its refusal with the status, or the object of the bucket that it serves."""

    code: str
    status: int
    key: str | None = None


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The usual header."""
    return (("Authorization", f"Bearer {token}"),)
