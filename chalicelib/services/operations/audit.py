"""Writing and listing the audit log."""

from dataclasses import replace

from chalicelib.domain.access.clients import Client, audit_key
from chalicelib.domain.ids import new_token_id
from chalicelib.domain.operations.audit import Action, AuditEntry, audit_id_of
from chalicelib.ports import AuditLog, Clients, Clock, ListPage


class Audit:
    """The audit log."""

    def __init__(self, log: AuditLog, clients: Clients, clock: Clock) -> None:
        self._log = log
        self._clients = clients
        self._clock = clock

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
