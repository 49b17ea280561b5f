"""The hash chain: the rule of docs/billing.md; every change of a line shows."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from chalicelib.domain.errors import LedgerDamaged
from chalicelib.domain.money.chain import ChainState, initial_state, make_page, next_state, state_after
from chalicelib.domain.money.wallets import Entry, EntryKind

USER_ID = "u_" + "a" * 20
START = initial_state(USER_ID)


def an_entry(version, **changes):
    lease = {"kind": EntryKind.LEASE, "delta_millipoints": -10, "session_id": "s", "stream_id": "stream-1"}
    entry = Entry(entry_id=f"s.{version}", at_ms=1_800_000_000_000 + version, version=version, seq=version, **lease)
    return replace(entry, **changes)


def test_the_rule_is_the_documented_one():
    assert START.hash == sha256(f"tollcast ledger 1\n{USER_ID}".encode()).hexdigest()
    line = [1, 1_800_000_000_001, "s.1", "lease", -10, "s", "stream-1", 1, None, "ä"]
    text = START.hash + "\n" + json.dumps(line, separators=(",", ":"))
    assert next_state(START, an_entry(1, note="ä")).hash == sha256(text.encode("ascii")).hexdigest()


def test_a_page_is_deterministic_and_leads_to_the_next():
    entries = tuple(an_entry(version) for version in range(1, 13))
    first = make_page(START, entries[:6])
    second = make_page(state_after(first), entries[6:])
    assert first == make_page(START, entries[:6])
    assert (first.balance_millipoints, second.balance_millipoints, second.previous_hash) == (-60, -120, first.hash)
    assert state_after(second) == ChainState(version=12, balance_millipoints=-120, hash=second.hash)


def test_every_field_the_user_and_the_order_count():
    changes = {"at_ms": 1, "entry_id": "s.9", "kind": EntryKind.REFUND, "delta_millipoints": -11, "session_id": None}
    changes |= {"stream_id": "stream-2", "seq": 7, "payment_id": "p", "note": ""}
    for name, value in changes.items():
        assert next_state(START, an_entry(1)).hash != next_state(START, an_entry(1, **{name: value})).hash, name
    assert next_state(START, an_entry(1)).hash != next_state(initial_state("u_" + "b" * 20), an_entry(1)).hash
    with pytest.raises(LedgerDamaged, match="Version 3 of a ledger does not follow 0"):
        next_state(START, an_entry(3))
