"""Playback sessions for viewers and operators: start, renew, stop, preview, list."""

import random
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.domain.access.clients import Client, start_key
from chalicelib.domain.accounts.users import User
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import (
    Blocked,
    Forbidden,
    SessionLimit,
    SessionNotFound,
    StreamFull,
    StreamNotFound,
    StreamNotLive,
    Unauthenticated,
)
from chalicelib.domain.ids import is_canary, new_session_id, session_id_of
from chalicelib.domain.money.errors import LeaseNotPaid
from chalicelib.domain.money.lease import PREVIEW_MS, Outcome
from chalicelib.domain.money.lists import SessionFilter
from chalicelib.domain.money.points import MILLIPOINTS_MAX, MILLIPOINTS_PER_POINT
from chalicelib.domain.money.sessions import DUE_SHARDS, SessionKind, SessionRecord
from chalicelib.domain.operations.audit import Action, Actor
from chalicelib.domain.streams.stream import END_OF_DESIRED, DesiredState, Stream
from chalicelib.ports.access.clients import Clients
from chalicelib.ports.accounts.identity import Users
from chalicelib.ports.common import Clock, ListPage, StoreUnavailable
from chalicelib.ports.money.lists import SessionLists
from chalicelib.ports.money.money import PlaybackSessions, Wallets
from chalicelib.ports.streams.streams import Streams
from chalicelib.services.access.auth import ENDED
from chalicelib.services.access.blocks import BlocksService
from chalicelib.services.access.limiter import Limiter
from chalicelib.services.access.reaper import REARM_MS
from chalicelib.services.access.session_rows import SessionRow, SessionRows
from chalicelib.services.money.billing import Beat, Billing
from chalicelib.services.money.delivery_cache import DeliveryCache
from chalicelib.services.money.session_opener import SessionOpener
from chalicelib.services.operations.audit import Audit

DISABLED = "This account is disabled."


@dataclass(frozen=True, kw_only=True)
class Opened(Beat):
    """An opened session with its stream; None if the stream is not there any more."""

    stream: Stream | None


class Playback:
    """Everything about sessions except selling, which is `Billing`."""

    def __init__(
        self,
        *,
        billing: Billing,
        session_opener: SessionOpener,
        blocks: BlocksService,
        limiter: Limiter,
        users: Users,
        wallets: Wallets,
        streams: Streams,
        sessions: PlaybackSessions,
        session_lists: SessionLists,
        delivery: DeliveryCache,
        clients: Clients,
        rows: SessionRows,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._billing = billing
        self._session_opener = session_opener
        self._blocks = blocks
        self._limiter = limiter
        self._users = users
        self._wallets = wallets
        self._streams = streams
        self._sessions = sessions
        self._session_lists = session_lists
        self._delivery = delivery
        self._clients = clients
        self._rows = rows
        self._audit = audit
        self._clock = clock

    def start(
        self,
        user_id: str,
        stream_id: str,
        *,
        client: Client,
        replace: bool,
        max_points: int | None,
        idempotency_key: str | None = None,
    ) -> Opened:
        """Open a session and buy its first lease. A repeated key returns the session as it is now.

        With `replace`, reaching a limit ends the user's oldest session that counts towards it as `superseded`. Raise
        `StreamNotFound`, `StreamNotLive`, `SessionLimit`, `StreamFull`, `SessionOver` (no points left, or the key's
        session has ended), `IdempotencyMismatch`, `Blocked`, `Forbidden` (disabled) or `TooManyRequests`.
        """
        budget = MILLIPOINTS_MAX if max_points is None else max_points * MILLIPOINTS_PER_POINT
        session_id = session_id_of(user_id, idempotency_key) if idempotency_key else new_session_id(user_id)
        found = self._session_opener.find(user_id, session_id, stream_id, budget) if idempotency_key else None
        if found is not None:
            return Opened(**vars(found), stream=self._streams.get(stream_id))
        self._limiter.start(user_id)
        self._blocks.check(user_id, stream_id)
        stream = self._live_stream(stream_id)
        record = self._record(user_id, session_id, stream, SessionKind.VIEWING)
        # A synthetic viewer takes no place from others.
        viewers_max = 0 if is_canary(user_id) else stream.viewers_max
        try:
            return self._open(record, stream, client, budget, viewers_max)
        except (SessionLimit, StreamFull) as limit:
            if not replace or not limit.extra["sessions"]:
                raise
            oldest = limit.extra["sessions"][0]["session_id"]
        self._billing.end(user_id, oldest, EndReason.SUPERSEDED)
        return self._open(record, stream, client, budget, viewers_max)

    def preview(self, stream_id: str, *, client: Client, by: Actor) -> Opened:
        """Open a free session of `PREVIEW_MS` for an operator. Heartbeats do not extend it."""
        stream = self._live_stream(stream_id)
        record = self._record(by.user_id, new_session_id(), stream, SessionKind.PREVIEW)
        opened = self._open(record, stream, client, MILLIPOINTS_MAX, viewers_max=0)
        details = {"session_id": record.session_id}
        self._audit.record(by, Action(name="stream.preview", target=stream_id, details=details))
        return opened

    def renew(self, user_id: str, session_id: str) -> Beat:
        """Return the session for a fresh play token inside the paid lease. Charges nothing.

        Raise `LeaseNotPaid` after the lease's end, `SessionOver`, or `SessionNotFound`.
        """
        wallet = self._wallets.get(user_id)
        session = wallet.sessions.get(session_id) if wallet else None
        if wallet is None or session is None:
            raise self._billing.over(user_id, session_id)
        now_ms = self._clock.now_ms()
        if now_ms > session.paid_until_ms:
            raise LeaseNotPaid("The paid lease is over. A heartbeat buys the next one.")
        return Beat(wallet=wallet, session=session, outcome=Outcome.REPLAY, charged_millipoints=0, now_ms=now_ms)

    def stop(self, user_id: str, session_id: str) -> SessionRecord:
        """End the viewer's session and refund the unserved part of the lease. Stopping again changes nothing."""
        return self._billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)

    def listing(self, wanted: SessionFilter, *, limit: int, cursor: str | None) -> ListPage[SessionRow]:
        """Return sessions, newest first, with what is known of them."""
        page = self._session_lists.page(wanted, self._clock.now_ms(), limit=limit, cursor=cursor)
        return ListPage(items=self._rows.of(page.items), next_cursor=page.next_cursor)

    def row(self, session_id: str) -> SessionRow:
        """Return a session of any user, with what is known of it. Raise `SessionNotFound`."""
        return self._rows.of([self.record(session_id)])[0]

    def record(self, session_id: str) -> SessionRecord:
        """Return the record of a session of any user. Raise `SessionNotFound`."""
        record = self._sessions.get(session_id)
        if record is None:
            raise SessionNotFound(f"There is no session {session_id}.")
        return record

    def sessions_of(self, user_id: str, *, limit: int, cursor: str | None) -> ListPage[SessionRecord]:
        """Return a viewer's sessions, newest first."""
        return self._sessions.by_user(user_id, limit=limit, cursor=cursor)

    def _live_stream(self, stream_id: str) -> Stream:
        stream = self._streams.get(stream_id)
        if stream is None or stream.archived:
            raise StreamNotFound(f"There is no stream {stream_id}.")
        if stream.desired_state is not DesiredState.LIVE or not self._delivery.status(stream_id).delivered:
            raise StreamNotLive.of(stream_id)
        return stream

    def _open(
        self, record: SessionRecord, stream: Stream, client: Client, budget_millipoints: int, viewers_max: int
    ) -> Opened:
        """Open a session. A pause of the stream, or an end of the user's logins, meanwhile takes it back."""
        user_id = record.user_id
        user = self._users.get(user_id)
        if user is None or user.disabled:
            raise Forbidden(DISABLED)
        beat = self._session_opener.open(user_id, record, budget_millipoints, viewers_max)
        # Before the account is read again: an erasure disables it first and deletes its clients later, so this one is
        # deleted there or, after the check below, here. A failure does not block the viewer.
        with suppress(StoreUnavailable):
            self._clients.put(start_key(record.session_id), user_id, client, record.started_at_ms)
        # The start is done, so a failing read must not fail it. If the stream was paused meanwhile, the schedule
        # settles the session as of the pause.
        with suppress(StoreUnavailable):
            self._check_still_wanted(user_id, record)
        # The same for the account: ending its logins also ends its sessions.
        with suppress(StoreUnavailable):
            self._check_still_allowed(user, record)
        # And for a block: its kick ended the sessions that it saw.
        with suppress(StoreUnavailable):
            self._check_still_unblocked(record)
        return Opened(**vars(beat), stream=stream)

    def _check_still_wanted(self, user_id: str, record: SessionRecord) -> None:
        stream = self._streams.get(record.stream_id)
        reason = END_OF_DESIRED.get(stream.desired_state) if stream else EndReason.STREAM_STOPPED
        if reason is not None:
            as_of_ms = stream.desired_since_ms if stream else record.started_at_ms
            self._billing.end(user_id, record.session_id, reason, as_of_ms=as_of_ms)
            raise StreamNotLive.of(record.stream_id)

    def _check_still_allowed(self, seen: User, record: SessionRecord) -> None:
        """End the session if the account was disabled, or its logins ended, while it was opened."""
        user = self._users.get(seen.user_id)
        disabled = user is None or user.disabled
        if user is not None and not disabled and user.token_generation == seen.token_generation:
            return
        reason = EndReason.KICKED if disabled else EndReason.VIEWER_STOPPED
        self._billing.end(seen.user_id, record.session_id, reason, as_of_ms=record.started_at_ms)
        self._clients.delete(start_key(record.session_id))
        raise Forbidden(DISABLED) if disabled else Unauthenticated(ENDED)

    def _check_still_unblocked(self, record: SessionRecord) -> None:
        """End the session if its user was blocked while it was opened. An operator's preview is not blocked."""
        try:
            if record.kind is SessionKind.VIEWING:
                self._blocks.check(record.user_id, record.stream_id)
        except Blocked:
            as_of_ms = record.started_at_ms
            self._billing.end(record.user_id, record.session_id, EndReason.KICKED, as_of_ms=as_of_ms)
            raise

    def _record(self, user_id: str, session_id: str, stream: Stream, kind: SessionKind) -> SessionRecord:
        preview = kind is SessionKind.PREVIEW
        now_ms = self._clock.now_ms()
        return SessionRecord(
            session_id=session_id,
            user_id=user_id,
            stream_id=stream.stream_id,
            kind=kind,
            started_at_ms=now_ms,
            rate_millipoints_per_minute=0 if preview else stream.rate_millipoints_per_minute,
            lease_ms=PREVIEW_MS if preview else stream.lease_ms,
            due_shard=random.randrange(DUE_SHARDS),
            due_ms=now_ms + REARM_MS,
        )
