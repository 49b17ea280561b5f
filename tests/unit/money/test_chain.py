"""The hash chain: the rule of docs/billing.md, as the platform and the player, which share no code, compute it."""

import json
from dataclasses import asdict, replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.money.chain import initial_state, make_page, next_state, state_after
from chalicelib.domain.money.errors import LedgerDamaged
from chalicelib.domain.money.wallets import Entry, EntryKind
from player.statement.chain import genesis, line_hash

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = {"at_ms": st.integers(0, 2**53), "delta_millipoints": st.integers(-(2**53), 2**53)}
NUMBERS |= {"version": st.just(1), "seq": st.none() | st.integers(1, 2**53)}
NAMES = dict.fromkeys(("session_id", "stream_id", "payment_id", "note"), st.none() | TEXTS)
ENTRIES = st.builds(Entry, entry_id=TEXTS, kind=st.sampled_from(EntryKind), **NUMBERS, **NAMES)


START = initial_state("u_a")
LEASE = {"entry_id": "s.1", "kind": EntryKind.LEASE, "session_id": "s", "stream_id": "stream-1", "seq": 1, "note": "ä"}
ENTRY = Entry(**LEASE, at_ms=7, version=1, delta_millipoints=-10)


def test_the_rule_is_the_documented_one():
    assert START.hash == sha256(b"tollcast ledger 1\nu_a").hexdigest()
    line = [1, 7, "s.1", "lease", -10, "s", "stream-1", 1, None, "ä"]
    text = START.hash + "\n" + json.dumps(line, separators=(",", ":"))
    assert next_state(START, ENTRY).hash == sha256(text.encode("ascii")).hexdigest()
    with pytest.raises(LedgerDamaged, match="Version 1 of a ledger does not follow 1"):
        next_state(next_state(START, ENTRY), ENTRY)


def test_a_page_follows_the_state_before_and_leads_to_the_state_after():
    entries = tuple(replace(ENTRY, version=version) for version in range(1, 7))
    page, state = make_page(START, entries), START
    for entry in entries:
        state = next_state(state, entry)
    assert (page.previous_hash, state_after(page), state.balance_millipoints) == (START.hash, state, -60)


@given(st.text("abc_", max_size=22), ENTRIES)
def test_the_player_computes_the_same_hashes(user_id, entry):
    start = initial_state(user_id)
    assert genesis(user_id) == start.hash
    assert line_hash(start.hash, asdict(entry)) == next_state(start, entry).hash
