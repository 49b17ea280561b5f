"""Writing and listing the audit log."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chalicelib.domain.access.clients import Client, audit_key
from chalicelib.domain.errors import Busy
from chalicelib.domain.ids import new_token_id
from chalicelib.domain.operations.audit import Action, Actor, AuditEntry, audit_id_of
from chalicelib.ports.access.clients import Clients
from chalicelib.ports.common import Clock, ListPage, StoreUnavailable
from chalicelib.ports.operations.audit import AuditLog
from chalicelib.ports.operations.counters import Counters

FAILURES = "audit_failures"
# Details of an action that failed after its first steps.
UNFINISHED: Mapping[str, Any] = {"finished": False}


class Audit:
    """The audit log."""

    def __init__(
        self, *, log: AuditLog, clients: Clients, counters: Counters, clock: Clock, report: Callable[..., None]
    ) -> None:
        """`report` logs an error: a message, and values by name."""
        self._log = log
        self._clients = clients
        self._counters = counters
        self._clock = clock
        self._report = report

    def record(self, by: Actor | None, action: Action) -> None:
        """Write an audit entry after its action, if an operator did it.

        The action is done, so a failure here must not fail it: the entry goes to the functions' log as an error and is
        counted. The address is left out, since logs may be kept longer than addresses.
        """
        if by is None:
            return
        entry = self.entry(action, by_user_id=by.user_id, ip=by.ip)
        try:
            self.write(entry)
        except Exception as error:
            self._counters.add(FAILURES)
            values = {**vars(replace(entry, ip=None)), **vars(action), "action": action.name}
            self._report("an audit entry was not stored", entry=values, why=str(error))

    @contextmanager
    def also_unfinished(self, by: Actor | None, look: Callable[[], Action | None]) -> Iterator[None]:
        """Audit an action of several steps even if it fails between them.

        A retry finds the first steps done, so its own entry would not contain them. `look` returns what has changed so
        far, or None.
        """
        try:
            yield
        except (Busy, StoreUnavailable):
            try:
                action = look()
            except Exception as error:
                self._counters.add(FAILURES)
                self._report("an action failed halfway, and its changes cannot be read", why=str(error))
            else:
                if action is not None:
                    self.record(by, replace(action, details={**action.details, **UNFINISHED}))
            raise

    def entry(self, action: Action, *, by_user_id: str, ip: str) -> AuditEntry:
        """Return the entry of an operator's action now."""
        at_ms = self._clock.now_ms()
        audit_id = audit_id_of(at_ms, new_token_id())
        return AuditEntry(audit_id=audit_id, at_ms=at_ms, by_user_id=by_user_id, ip=ip, action=action)

    def write(self, entry: AuditEntry) -> None:
        """Store an entry. Its address is stored apart, since it expires earlier."""
        self._log.add(replace(entry, ip=None))
        if entry.ip:
            client = Client(ip=entry.ip)
            self._clients.put(audit_key(entry.audit_id), entry.by_user_id, client, entry.at_ms)

    def listing(
        self, *, user_id: str | None, by_user_id: str | None, limit: int, cursor: str | None
    ) -> ListPage[AuditEntry]:
        """Return entries, newest first: on an account, by an operator, or all."""
        page = self._page(user_id, by_user_id, limit, cursor)
        found = self._clients.get_many((audit_key(entry.audit_id) for entry in page.items), self._clock.now_ms())
        ips = {key: client.ip for key, client in found.items()}
        items = [replace(entry, ip=ips.get(audit_key(entry.audit_id))) for entry in page.items]
        return ListPage(items=items, next_cursor=page.next_cursor)

    def _page(
        self, user_id: str | None, by_user_id: str | None, limit: int, cursor: str | None
    ) -> ListPage[AuditEntry]:
        if user_id is not None:
            return self._log.of_user(user_id, limit=limit, cursor=cursor)
        if by_user_id is not None:
            return self._log.by_operator(by_user_id, limit=limit, cursor=cursor)
        return self._log.newest(self._clock.now_ms(), limit=limit, cursor=cursor)
