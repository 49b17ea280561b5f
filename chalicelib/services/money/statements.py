"""Statements: parts of a ledger that can be checked offline, and the lines of one session."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from chalicelib.domain.money.chain import ChainState, initial_state, make_page, next_state, state_after
from chalicelib.domain.money.errors import LedgerDamaged
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import PAGE_ENTRIES, Entry, EntryKind, end_entry_id
from chalicelib.ports.common import Clock, ListPage
from chalicelib.ports.money.money import Ledger
from chalicelib.services.money.ledger import LedgerService, version_of

LINES_MAX = 5_000
AFTER_THE_END = frozenset({EntryKind.ADJUSTMENT, EntryKind.SERVED_AHEAD, EntryKind.UNSERVED_CREDIT})
PAGES_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Consecutive lines of a ledger, oldest first, each with the state after it. `opening` is the state before them."""

    user_id: str
    created_at_ms: int
    opening: ChainState
    lines: tuple[tuple[Entry, ChainState], ...]
    more: bool

    @property
    def closing(self) -> ChainState:
        """The state after the last line."""
        return self.lines[-1][1] if self.lines else self.opening


class Statements:
    """Reads ledgers from their start, and checks every page against its hash."""

    def __init__(self, ledger: LedgerService, pages: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._pages = pages
        self._clock = clock

    def statement(self, user_id: str, after_version: int) -> Statement:
        """Return up to `LINES_MAX` lines after a version, 0 for all. Raise `UserNotFound` or `LedgerDamaged`."""
        opening = self._state_at_page(user_id, after_version)
        lines: list[tuple[Entry, ChainState]] = []
        more = False
        for entry, state in self._lines(user_id, opening):
            if entry.version <= after_version:
                opening = state
            elif len(lines) == LINES_MAX:
                more = True
                break
            else:
                lines.append((entry, state))
        return Statement(
            user_id=user_id, created_at_ms=self._clock.now_ms(), opening=opening, lines=tuple(lines), more=more
        )

    def session_entries(self, record: SessionRecord, after_version: int = 0) -> Iterator[Entry]:
        """Yield the lines of one session after a version, oldest first: leases, credits, end, settlement, adjustments.

        Raise `LedgerDamaged`.
        """
        # Count the lines after the end from the start to know the last one.
        last, later, ended = end_entry_id(record.session_id), record.adjustments + record.settlement_entries, False
        begin = record.from_version if later else max(record.from_version, after_version)
        for entry, _ in self._lines(record.user_id, self._state_at_page(record.user_id, begin)):
            if entry.session_id == record.session_id:
                later -= entry.kind in AFTER_THE_END
                if entry.version > after_version:
                    yield entry
            ended = ended or entry.entry_id == last
            if ended and later <= 0:
                return

    def session_page(self, record: SessionRecord, *, limit: int, cursor: str | None) -> ListPage[Entry]:
        """Return up to `limit` lines of one session, oldest first. Raise `Invalid` or `LedgerDamaged`."""
        after_version = version_of(cursor) if cursor else 0
        items = list(islice(self.session_entries(record, after_version), limit + 1))
        more = len(items) > limit
        return ListPage(items=items[:limit], next_cursor=str(items[limit - 1].version) if more else None)

    def _state_at_page(self, user_id: str, version: int) -> ChainState:
        """Return the ledger's state at the end of the last page with nothing after a version."""
        found = self._pages.pages(user_id, up_to_version=version - PAGE_ENTRIES + 1, limit=1)
        return state_after(found[0]) if found else initial_state(user_id)

    def _lines(self, user_id: str, state: ChainState) -> Iterator[tuple[Entry, ChainState]]:
        """Yield all entries after a page's end, oldest first, each with the state after it.

        Complete at every time, since the wallet is read before the pages.
        """
        wallet = self._ledger.wallet(user_id)
        more = True
        while more:
            pages = self._pages.pages_from(user_id, from_version=state.version + 1, limit=PAGES_AT_ONCE)
            more = len(pages) == PAGES_AT_ONCE
            for page in pages:
                if page.first_version != state.version + 1 or page != make_page(state, page.entries):
                    raise LedgerDamaged(f"The ledger of {user_id} is inconsistent at version {state.version + 1}.")
                for entry in page.entries:
                    state = next_state(state, entry)
                    if entry.version <= wallet.version:
                        yield entry, state
        for entry in wallet.journal:
            if entry.version > state.version:
                state = next_state(state, entry)
                yield entry, state
