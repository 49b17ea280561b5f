"""The hash chain of a ledger: each line is bound to all lines before it, so that no copy can be changed unnoticed.

The rule is public (docs/billing.md, "Statements"); `player verify` holds saved statements against it offline.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.domain.errors import LedgerDamaged
from chalicelib.domain.money.wallets import Entry, Page


@dataclass(frozen=True, kw_only=True)
class State:
    """Where a ledger stands after a version: its balance, and the hash of all lines up to there."""

    version: int
    balance_millipoints: int
    hash: str


def genesis(user_id: str) -> State:
    """Before the first line. The hash names the user, so that one user's lines do not fit another's ledger."""
    return State(version=0, balance_millipoints=0, hash=sha256(f"tollcast ledger 1\n{user_id}".encode()).hexdigest())


def after(state: State, entry: Entry) -> State:
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
    return State(
        version=entry.version,
        balance_millipoints=state.balance_millipoints + entry.delta_millipoints,
        hash=sha256(text.encode()).hexdigest(),
    )


def chained(before: State, entries: tuple[Entry, ...]) -> Page:
    """The page of these entries behind `before`: the same page, whoever makes it."""
    state = before
    for entry in entries:
        state = after(state, entry)
    return Page(
        first_version=entries[0].version,
        entries=entries,
        previous_hash=before.hash,
        hash=state.hash,
        balance_millipoints=state.balance_millipoints,
    )


def end_of(page: Page) -> State:
    """Where the ledger stands after a page, as the page says."""
    last = page.entries[-1].version
    return State(version=last, balance_millipoints=page.balance_millipoints, hash=page.hash)
