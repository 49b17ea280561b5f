"""The keys of the indexes that answer lists of accounts, sessions and payments.

`list_order` is a time and an id, `<ms, 13 digits>.<id>`: it is unique, and its text sorts by time. A time alone
(`order_at`) is before all rows of that millisecond.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from string import ascii_lowercase, digits

from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.operations.audit import month_of

# Enabled viewers are most accounts, so they are spread over partitions by the first character of the email. Each
# partition begins at its character and ends before the next one; the first begins before all characters.
EMAIL_PARTITIONS: tuple[str, ...] = ("!", *digits, ":", *ascii_lowercase, "{")
# Payments by reference are spread by as many characters, so a search needs at least these.
REFERENCE_CHARS = 2


def order_at(at_ms: int) -> str:
    """Return the place of a time in a list."""
    return f"{at_ms:013d}"


def order_of(at_ms: int, row_id: str) -> str:
    """Return the place of a row in a list."""
    return f"{order_at(at_ms)}.{row_id}"


def email_key(email: str) -> str:
    """Return what accounts are ordered by and found by."""
    return email.lower()


def email_partition(email: str) -> str:
    """Return the name of the partition of an email among those of enabled viewers."""
    return EMAIL_PARTITIONS[max(0, bisect_right(EMAIL_PARTITIONS, email_key(email)[:1]) - 1)]


def account_list(role: Role, *, disabled: bool) -> str:
    """Return the partition of accounts with a role, without the first character for enabled viewers."""
    return f"{role.value}.{'disabled' if disabled else 'enabled'}"


def account_keys(email: str, role: Role, *, disabled: bool) -> Mapping[str, str]:
    """Return the attributes of an account for the index `by_email`."""
    partition = account_list(role, disabled=disabled)
    if partition == account_list(Role.VIEWER, disabled=False):
        partition += f".{email_partition(email)}"
    return {"list_key": partition, "email_key": email_key(email)}


def active_list(shard: int) -> str:
    """Return the partition of the active sessions of a shard."""
    return f"active.{shard}"


def ended_list(month: str, reason: EndReason) -> str:
    """Return the partition of the sessions that ended in a month (UTC) for a reason."""
    return f"{month}.{reason.value}"


def active_keys(session_id: str, shard: int, started_at_ms: int) -> Mapping[str, str]:
    """Return the attributes of an active session for the index `by_state`."""
    return {"list_key": active_list(shard), "list_order": order_of(started_at_ms, session_id)}


def ended_keys(session_id: str, reason: EndReason, ended_at_ms: int) -> Mapping[str, str]:
    """Return the attributes of an ended session for the index `by_state`."""
    return {"list_key": ended_list(month_of(ended_at_ms), reason), "list_order": order_of(ended_at_ms, session_id)}


def payment_keys(payment_id: str, at_ms: int) -> Mapping[str, str]:
    """Return the attributes of a payment for the indexes `by_month`, `by_user`, `by_source` and `by_reference`."""
    reference = payment_id[:REFERENCE_CHARS]
    return {"list_key": month_of(at_ms), "list_order": order_of(at_ms, payment_id), "reference_key": reference}
