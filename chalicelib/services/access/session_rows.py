"""Sessions as operators see them: records, with what wallets, logs and reconciliation know of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.access.clients import Client, start_key
from chalicelib.domain.money.cut_offs import EARLY
from chalicelib.domain.money.lease import seconds_left
from chalicelib.domain.money.sessions import ActiveSession, SessionRecord
from chalicelib.domain.money.usage import day_of
from chalicelib.domain.money.wallets import Wallet
from chalicelib.domain.operations.fetches import RecentFetches, recent_fetches
from chalicelib.ports.access.clients import Clients
from chalicelib.ports.common import Clock
from chalicelib.ports.money.money import Wallets
from chalicelib.ports.money.reconciliation import Reconciliations
from chalicelib.ports.money.usage import SessionUsage, Usage
from chalicelib.ports.operations.labels import Labels


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """A record with its live data. What is unknown is None.

    `session`, `balance_millipoints`, `seconds_left` and `recent` are those of an active session. `media_ms` is the
    media served so far. `cut_off_ms` is how long an ended session was still served; `cut_off_measured` says whether it
    is known, None if the session did not end early.
    """

    record: SessionRecord
    session: ActiveSession | None = None
    client: Client | None = None
    email: str | None = None
    stream_title: str | None = None
    balance_millipoints: int | None = None
    seconds_left: int | None = None
    recent: RecentFetches = field(default_factory=RecentFetches)
    media_ms: int | None = None
    cut_off_ms: int | None = None
    cut_off_measured: bool | None = None


class SessionRows:
    """Adds to the records of a page what operators want to know, with a batch of reads for each table."""

    def __init__(
        self,
        *,
        wallets: Wallets,
        clients: Clients,
        labels: Labels,
        usage: Usage,
        reconciliations: Reconciliations,
        clock: Clock,
    ) -> None:
        self._wallets = wallets
        self._clients = clients
        self._labels = labels
        self._usage = usage
        self._reconciliations = reconciliations
        self._clock = clock

    def of(self, records: Sequence[SessionRecord]) -> list[SessionRow]:
        """Return the rows of these records, in their order."""
        if not records:
            return []
        now_ms = self._clock.now_ms()
        active = [record for record in records if record.active]
        wallets = self._wallets.get_many(record.user_id for record in active)
        followers = self._usage.followers() if active else {}
        usage = self._usage.of_sessions(record.session_id for record in records)
        clients = self._clients.get_many((start_key(record.session_id) for record in records), now_ms)
        emails = self._labels.emails(record.user_id for record in records)
        titles = self._labels.titles(record.stream_id for record in records)
        cut_offs = self._cut_offs(record for record in records if not record.active)
        rows = []
        for record in records:
            found = usage.get(record.session_id)
            fetches = found.fetches if found else {}
            rows.append(
                SessionRow(
                    record=record,
                    client=clients.get(start_key(record.session_id)),
                    email=emails.get(record.user_id),
                    stream_title=titles.get(record.stream_id),
                    recent=recent_fetches(fetches, followers, record.started_at_ms, now_ms)
                    if record.active
                    else RecentFetches(),
                    media_ms=_media_ms(found, record),
                    cut_off_ms=cut_offs.get(record.session_id),
                    cut_off_measured=record.session_id in cut_offs if record.end_reason in EARLY else None,
                    **_of_wallet(record, wallets.get(record.user_id), now_ms),
                )
            )
        return rows

    def _cut_offs(self, ended: Iterable[SessionRecord]) -> Mapping[str, int]:
        return self._reconciliations.cut_offs(
            (day_of(record.ended_at_ms or 0), record.session_id) for record in ended if record.end_reason in EARLY
        )


def _media_ms(usage: SessionUsage | None, record: SessionRecord) -> int | None:
    """Return the media served. A session without usage was served nothing, if that is settled."""
    if usage is not None:
        return usage.served.media_ms
    return 0 if record.settled_ms is not None else None


def _of_wallet(record: SessionRecord, wallet: Wallet | None, now_ms: int) -> dict[str, Any]:
    session = wallet.sessions.get(record.session_id) if wallet else None
    if wallet is None or session is None:
        return {}
    left_s = seconds_left(wallet, session, now_ms)
    return {"session": session, "balance_millipoints": wallet.balance_millipoints, "seconds_left": left_s}
