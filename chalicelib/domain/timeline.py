"""A user's timeline: sessions, payments, logins and acts of operators in one order, newest first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from chalicelib.domain.access.clients import LOGIN_PREFIX, Client
from chalicelib.domain.errors import WrongCursor
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Payment
from chalicelib.domain.operations.audit import AuditEntry

Place = tuple[int, str, str]
Item = TypeVar("Item")
# A time, a kind and an id. Ids of acts contain dots.
_CURSOR = re.compile(r"([0-9]{1,13})\.([a-z]{1,20})\.([A-Za-z0-9_.:-]{1,80})")


class EventKind(StrEnum):
    """A session by its start, a payment, a login, or an act of an operator or a service key on the account."""

    SESSION = "session"
    PAYMENT = "payment"
    LOGIN = "login"
    ACT = "act"


@dataclass(frozen=True, kw_only=True)
class LoginEvent:
    """A login with its client, as long as addresses are kept."""

    login_id: str
    at_ms: int
    client: Client


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of the timeline. Of the last four, the one of its kind is set."""

    kind: EventKind
    at_ms: int
    event_id: str
    session: SessionRecord | None = None
    payment: Payment | None = None
    login: LoginEvent | None = None
    act: AuditEntry | None = None

    @property
    def place(self) -> Place:
        """Where it is in the timeline: unique, and the same in every request."""
        return self.at_ms, self.kind.value, self.event_id


def login_event(key: str, client: Client) -> LoginEvent:
    """Return the login that a client is stored for under this key (`login_key`)."""
    login_id = key.removeprefix(LOGIN_PREFIX)
    return LoginEvent(login_id=login_id, at_ms=int(login_id.partition(".")[0]), client=client)


def event_of(item: SessionRecord | Payment | LoginEvent | AuditEntry) -> Event:
    """Return what happened as an event."""
    match item:
        case SessionRecord():
            started = {"at_ms": item.started_at_ms, "event_id": item.session_id}
            return Event(kind=EventKind.SESSION, session=item, **started)  # type: ignore[arg-type]
        case Payment():
            return Event(kind=EventKind.PAYMENT, at_ms=item.at_ms, event_id=item.payment_id, payment=item)
        case LoginEvent():
            return Event(kind=EventKind.LOGIN, at_ms=item.at_ms, event_id=item.login_id, login=item)
    return Event(kind=EventKind.ACT, at_ms=item.at_ms, event_id=item.audit_id, act=item)


def place_of(cursor: str) -> Place:
    """Return the place in a cursor. Raise `WrongCursor` for another text."""
    found = _CURSOR.fullmatch(cursor)
    if not found or found[2] not in list(EventKind):
        raise WrongCursor
    return int(found[1]), found[2], found[3]


def cursor_of(place: Place) -> str:
    """Return a place as a cursor."""
    return ".".join(map(str, place))


def newest(events: Sequence[Event], limit: int) -> tuple[list[Event], str | None]:
    """Return the newest `limit` events of all, and the cursor of the next page, None at the end."""
    ordered = sorted(events, key=lambda event: event.place, reverse=True)
    more = len(ordered) > limit
    return ordered[:limit], cursor_of(ordered[limit - 1].place) if more else None
