"""The hash chain of a ledger: each line depends on all lines before it, so every change of a copy shows.

The format is public (docs/billing.md, "Statements"); `player verify` checks saved statements offline.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.domain.money.errors import LedgerDamaged
from chalicelib.domain.money.wallets import Entry, Page


@dataclass(frozen=True, kw_only=True)
class ChainState:
    """The state of a ledger after a version: its balance, and the hash of all lines so far."""

    version: int
    balance_millipoints: int
    hash: str


def initial_state(user_id: str) -> ChainState:
    """Return the state before the first line. Its hash contains the user id, so ledgers cannot be swapped."""
    return ChainState(
        version=0, balance_millipoints=0, hash=sha256(f"tollcast ledger 1\n{user_id}".encode()).hexdigest()
    )


def next_state(state: ChainState, entry: Entry) -> ChainState:
    """Return the state after one more line. Raise `LedgerDamaged` if the line does not follow."""
    if entry.version != state.version + 1:
        raise LedgerDamaged(f"Version {entry.version} of a ledger does not follow {state.version}.")
    line = [
        entry.version,
        entry.at_ms,
        entry.entry_id,
        entry.kind.value,
        entry.delta_millipoints,
        entry.session_id,
        entry.stream_id,
        entry.seq,
        entry.payment_id,
        entry.note,
    ]
    text = f"{state.hash}\n{json.dumps(line, separators=(',', ':'))}"
    return ChainState(
        version=entry.version,
        balance_millipoints=state.balance_millipoints + entry.delta_millipoints,
        hash=sha256(text.encode()).hexdigest(),
    )


def make_page(before: ChainState, entries: tuple[Entry, ...]) -> Page:
    """Return the page of these entries after `before`. The same input gives the same page."""
    state = before
    for entry in entries:
        state = next_state(state, entry)
    return Page(
        first_version=entries[0].version,
        entries=entries,
        previous_hash=before.hash,
        hash=state.hash,
        balance_millipoints=state.balance_millipoints,
    )


def state_after(page: Page) -> ChainState:
    """Return the state after a page, as stored in the page."""
    last = page.entries[-1].version
    return ChainState(version=last, balance_millipoints=page.balance_millipoints, hash=page.hash)
