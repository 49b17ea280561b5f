"""The keys of the three kinds of token, and their rotation.

A set has keys `k1`, `k2`, … and a current one. The current key signs; all keys in the set are accepted. A rotation has
two phases, so that no token is signed with a key that another process does not know: a new key is announced (accepted
everywhere), and after `ANNOUNCED_MS` it becomes current. The previous key stays while its tokens live: a rotation every
`KEY_DAYS` keeps it for the 30 days of a refresh token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from chalicelib.domain.access.tokens import TokenKind

# A process rereads the keys for an unknown key id, at most once in this time.
REREAD_MS_MIN = 60_000
# Longer than that, so a process that does not know a key when it becomes current may reread at once.
ANNOUNCED_MS = 2 * REREAD_MS_MIN
KEY_DAYS = 30
MS_PER_DAY = 86_400_000


@dataclass(frozen=True)
class KeySet:
    """The keys of one kind by id, in base64. `changed_at_ms` is when a key was last announced or made current."""

    current: str
    keys: Mapping[str, str]
    changed_at_ms: int = 0

    @property
    def announced(self) -> str | None:
        """The key that becomes current next, if there is one."""
        newest = max(self.keys, key=_number)
        return newest if _number(newest) > _number(self.current) else None

    def with_announced(self, key: str, now_ms: int) -> KeySet:
        """Return the set after the first phase."""
        kid = f"k{max(map(_number, self.keys)) + 1}"
        return replace(self, keys={**self.keys, kid: key}, changed_at_ms=now_ms)

    def with_current(self, kid: str, now_ms: int) -> KeySet:
        """Return the set after the second phase: this key signs, and only the previous one stays beside it."""
        kept = {each: self.keys[each] for each in (self.current, kid)}
        return KeySet(current=kid, keys=kept, changed_at_ms=now_ms)


KeySets = Mapping[TokenKind, KeySet]


def first_key_sets(new_key: Callable[[], str], now_ms: int) -> KeySets:
    """Return sets with one new key for each kind."""
    return {kind: KeySet(current="k1", keys={"k1": new_key()}, changed_at_ms=now_ms) for kind in TokenKind}


def rotated(sets: KeySets, new_key: Callable[[], str], now_ms: int, *, announce_after_ms: int) -> KeySets:
    """Return the sets after the step that is due: announce a new key, or make an announced one current."""
    return {kind: _rotated(key_set, new_key, now_ms, announce_after_ms) for kind, key_set in sets.items()}


def _rotated(key_set: KeySet, new_key: Callable[[], str], now_ms: int, announce_after_ms: int) -> KeySet:
    age_ms, announced = now_ms - key_set.changed_at_ms, key_set.announced
    if announced is not None:
        return key_set.with_current(announced, now_ms) if age_ms >= ANNOUNCED_MS else key_set
    return key_set.with_announced(new_key(), now_ms) if age_ms >= announce_after_ms else key_set


def to_document(sets: KeySets) -> dict[str, Any]:
    """Return the stored form: `{"access": {"current": "k1", "keys": {"k1": "<base64>"}, "changed_at_ms": …}, …}`."""
    return {kind.value: {**asdict(key_set), "keys": dict(key_set.keys)} for kind, key_set in sets.items()}


def from_document(document: Mapping[str, Any]) -> KeySets:
    """Return the sets of a stored document."""
    return {
        kind: KeySet(
            current=document[kind.value]["current"],
            keys=document[kind.value]["keys"],
            changed_at_ms=document[kind.value].get("changed_at_ms", 0),
        )
        for kind in TokenKind
    }


def _number(kid: str) -> int:
    return int(kid[1:])
