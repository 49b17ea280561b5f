"""The player, which shares no code with the platform, reckons a ledger's hashes as the platform does."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.money import chain
from chalicelib.domain.money.wallets import Entry, EntryKind
from player.statement.chain import genesis, line_hash

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = {"at_ms": st.integers(0, 2**53), "delta_millipoints": st.integers(-(2**53), 2**53)}
NUMBERS |= {"version": st.just(1), "seq": st.none() | st.integers(1, 2**53)}
NAMES = dict.fromkeys(("session_id", "stream_id", "payment_id", "note"), st.none() | TEXTS)
ENTRIES = st.builds(Entry, entry_id=TEXTS, kind=st.sampled_from(EntryKind), **NUMBERS, **NAMES)


@given(st.text("abc_", max_size=22), ENTRIES)
def test_both_reckon_the_same_hashes(user_id: str, entry: Entry) -> None:
    start = chain.initial_state(user_id)
    assert genesis(user_id) == start.hash
    assert line_hash(start.hash, asdict(entry)) == chain.next_state(start, entry).hash
