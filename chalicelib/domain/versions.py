"""Versions of streams and accounts, for operators who edit the same one at the same time.

A row keeps what its last changes replaced. So an edit of an older version can be refused with the fields that differ.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.errors import ChangedMeanwhile

# Changes that a row keeps.
CHANGES_MAX = 10
# Shown in place of a secret value.
HIDDEN = "hidden"
# The versions that an edit is meant for; None for any.
Expected = Collection[int] | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What the step from `version` to the next one replaced: values by field, without secrets."""

    version: int
    before: Mapping[str, Any]


def with_change(changes: tuple[Change, ...], version: int, before: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes with one more, without the oldest ones beyond `CHANGES_MAX`."""
    return (*changes, Change(version=version, before=before))[-CHANGES_MAX:]


def check_version(
    what: str, expected: Expected, version: int, changes: tuple[Change, ...], shown: Callable[[str], Any]
) -> None:
    """Raise `ChangedMeanwhile` with the fields that differ, unless the current `version` is expected.

    `what` names the row for people, and `shown` returns the current value of a field, without secrets.
    """
    if expected is None or version in expected:
        return
    seen = max((each for each in expected if each < version), default=None)
    differing = None if seen is None else _differing(changes, seen, version, shown)
    fields = ", ".join(each["field"] for each in differing or ())
    raise ChangedMeanwhile(
        f"{what} has been changed since it was read{f': {fields}' if fields else ''}. Nothing was changed now."
        " Read it again, then repeat the edit with the new ETag.",
        version=version,
        differing=differing,
    )


def _differing(
    changes: tuple[Change, ...], seen: int, version: int, shown: Callable[[str], Any]
) -> list[dict[str, Any]] | None:
    """Return the fields that differ, with both values; None if the row no longer knows what it was at `seen`."""
    since = [each for each in changes if each.version >= seen]
    if len(since) < version - seen:
        return None
    # The oldest change of a field has its value at `seen`.
    before = {name: value for each in reversed(since) for name, value in each.before.items()}
    both = [{"field": name, "seen": value, "current": shown(name)} for name, value in sorted(before.items())]
    # Values with hidden parts may differ in these alone.
    return [each for each in both if each["seen"] != each["current"] or _hides(each["seen"])]


def _hides(value: Any) -> bool:
    return HIDDEN in str(value)
