"""The keys of the three kinds of token, and how they are rotated. Pure.

A set has keys `k1`, `k2`, … and names the current one, which signs; all that are in it are accepted. A rotation has two
phases, so that no token is ever signed with a key that another process has not heard of: a new key is announced, which
means that it is accepted everywhere, and only after `ANNOUNCED_MS` does it become current. Of the older keys the one
before stays, for as long as its tokens live; a rotation each `KEY_DAYS` gives it the 30 days of a refresh token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from chalicelib.domain.access.tokens import TokenKind

# A process reads the keys again for one that it does not know, but not within this time of having read them.
REREAD_MS_MIN = 60_000
# Longer than that: whoever has not heard of an announced key when it becomes current may read again at once.
ANNOUNCED_MS = 2 * REREAD_MS_MIN
KEY_DAYS = 30
MS_PER_DAY = 86_400_000


@dataclass(frozen=True)
class KeySet:
    """The keys of one kind by id, in base64. `changed_at_ms` is when one was announced, or else made current."""

    current: str
    keys: Mapping[str, str]
    changed_at_ms: int = 0

    @property
    def announced(self) -> str | None:
        """The key that is to become current, if there is one."""
        newest = max(self.keys, key=_number)
        return newest if _number(newest) > _number(self.current) else None

    def with_announced(self, key: str, now_ms: int) -> KeySet:
        """The set after the first phase."""
        kid = f"k{max(map(_number, self.keys)) + 1}"
        return replace(self, keys={**self.keys, kid: key}, changed_at_ms=now_ms)

    def with_current(self, kid: str, now_ms: int) -> KeySet:
        """The set after the second phase: the key signs, and of the others the one before is left."""
        kept = {each: self.keys[each] for each in (self.current, kid)}
        return KeySet(current=kid, keys=kept, changed_at_ms=now_ms)


KeySets = Mapping[TokenKind, KeySet]


def first_key_sets(new_key: Callable[[], str], now_ms: int) -> KeySets:
    """One key for each kind."""
    return {kind: KeySet(current="k1", keys={"k1": new_key()}, changed_at_ms=now_ms) for kind in TokenKind}


def rotated(sets: KeySets, new_key: Callable[[], str], now_ms: int, *, announce_after_ms: int) -> KeySets:
    """The sets after what is due: what was announced long enough ago becomes current, else a new key is announced."""
    return {kind: _rotated(key_set, new_key, now_ms, announce_after_ms) for kind, key_set in sets.items()}


def _rotated(key_set: KeySet, new_key: Callable[[], str], now_ms: int, announce_after_ms: int) -> KeySet:
    age_ms, announced = now_ms - key_set.changed_at_ms, key_set.announced
    if announced is not None:
        return key_set.with_current(announced, now_ms) if age_ms >= ANNOUNCED_MS else key_set
    return key_set.with_announced(new_key(), now_ms) if age_ms >= announce_after_ms else key_set


def to_document(sets: KeySets) -> dict[str, Any]:
    """As it is stored: `{"access": {"current": "k1", "keys": {"k1": "<base64>"}, "changed_at_ms": …}, …}`."""
    return {kind.value: {**asdict(key_set), "keys": dict(key_set.keys)} for kind, key_set in sets.items()}


def from_document(document: Mapping[str, Any]) -> KeySets:
    """The sets that are stored so."""
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
