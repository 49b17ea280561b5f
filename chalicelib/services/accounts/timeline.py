"""A user's timeline, merged from the lists of sessions, payments, logins and acts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from chalicelib.domain.errors import UserNotFound
from chalicelib.domain.timeline import Event, Place, event_of, newest, place_of
from chalicelib.ports.access.clients import Clients
from chalicelib.ports.accounts.identity import Users
from chalicelib.ports.common import Clock, ListPage
from chalicelib.ports.money.money import Payments, PlaybackSessions
from chalicelib.ports.operations.audit import AuditLog

# Events of a list are read beyond the page by this many, for those of the moment at which the last page ended.
SAME_MOMENT = 10
READS_MAX = 5
Read = Callable[..., Sequence[Any]]


class Timelines:
    """Reads timelines. Each list is read by its own index of users, newest first."""

    def __init__(
        self,
        *,
        users: Users,
        sessions: PlaybackSessions,
        payments: Payments,
        clients: Clients,
        audit_log: AuditLog,
        clock: Clock,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._payments = payments
        self._clients = clients
        self._audit_log = audit_log
        self._clock = clock

    def page(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[Event]:
        """Return a page, newest first. Raise `UserNotFound` or `WrongCursor`.

        Of an erased account, the sessions, payments and acts stay.
        """
        if self._users.get(user_id) is None and self._users.erased_at_ms(user_id) is None:
            raise UserNotFound(f"There is no user {user_id}.")
        after = place_of(cursor) if cursor else None
        now_ms = self._clock.now_ms()
        until_ms = after[0] if after else now_ms
        reads: tuple[Read, ...] = (
            self._sessions.newest_of_user,
            self._payments.newest_of_user,
            self._audit_log.newest_of_user,
            partial(self._clients.logins_of_user, now_ms=now_ms),
        )
        events = [event for read in reads for event in _after(read, user_id, after, until_ms, limit + 1)]
        items, next_cursor = newest(events, limit)
        return ListPage(items=items, next_cursor=next_cursor)


def _after(read: Read, user_id: str, after: Place | None, until_ms: int, limit: int) -> list[Event]:
    """Return the newest `limit` events of one list after a place; fewer if there are no more.

    A list orders events of the same ms in its own way. So those of the oldest ms that was read count only at its end.
    """
    number = limit + SAME_MOMENT
    for _ in range(READS_MAX):
        found = [event_of(item) for item in read(user_id, until_ms=until_ms, limit=number)]
        is_all = len(found) < number
        complete = [event for event in found if is_all or event.at_ms > found[-1].at_ms]
        events = [event for event in complete if after is None or event.place < after]
        if is_all or len(events) >= limit:
            break
        number *= 2
    return events
