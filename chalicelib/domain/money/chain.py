"""The hash chain of a ledger: each line is bound to all lines before it, so that no copy can be changed unnoticed.

The rule is public (docs/billing.md, "Statements"); `player verify` holds saved statements against it offline.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.domain.errors import LedgerDamaged
from chalicelib.domain.money.wallets import Entry, Page


@dataclass(frozen=True, kw_only=True)
class ChainState:
    """Where a ledger stands after a version: its balance, and the hash of all lines up to there."""

    version: int
    balance_millipoints: int
    hash: str


def initial_state(user_id: str) -> ChainState:
    """Before the first line. The hash names the user, so that one user's lines do not fit another's ledger."""
    return ChainState(
        version=0, balance_millipoints=0, hash=sha256(f"tollcast ledger 1\n{user_id}".encode()).hexdigest()
    )


def next_state(state: ChainState, entry: Entry) -> ChainState:
    """After one more line; raises `LedgerDamaged` if it is not the next one."""
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
    """The page of these entries behind `before`: the same page, whoever makes it."""
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
    """Where the ledger stands after a page, as the page says."""
    last = page.entries[-1].version
    return ChainState(version=last, balance_millipoints=page.balance_millipoints, hash=page.hash)
