"""What operators have done: the entries of the audit log, and what may stand in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.accounts.users import User
from chalicelib.domain.streams.ingest import Ingest
from chalicelib.domain.streams.stream import Stream

Values = Mapping[str, Any]
AUDIT_DAYS = 400
# Who has done what was done by a command of infra/: no account.
BY_COMMAND = "operator-command"
# What it has of a password.
WAS_RESET = "reset"
# Of a stream, what its operator sets. The ingest key is not among them.
STREAM_FIELDS = (
    "title",
    "slate",
    "frozen_after_s",
    "abr_profile",
    "fps_max",
    "latency",
    "segment_seconds",
    "window_minutes",
    "rate_millipoints_per_minute",
    "lease_ms",
    "viewers_max",
    "session_binding",
    "desired_state",
    "generation",
    "archived",
)


@dataclass(frozen=True, kw_only=True)
class Action:
    """What was done on what: `stream.edit` on `stream-1`. `user_id` is the account that it was done to, if any.

    `before` and `after` have what has changed and nothing that opens anything: no password, key, token or signed query.
    """

    name: str
    target: str
    user_id: str | None = None
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    details: Values = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """An action, and by whom, from where and when. Ids are in the order of time.

    `ip` is None once addresses are not kept any more, and an entry is kept without it (`domain/access/clients.py`).
    """

    audit_id: str
    at_ms: int
    by_user_id: str
    action: Action
    ip: str | None = None


def audit_id_of(at_ms: int, random_part: str) -> str:
    """An id that is sorted by its moment."""
    return f"{at_ms:013d}.{random_part}"


def month_of(at_ms: int) -> str:
    """The month (UTC) that a moment lies in: what the log is kept by."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


def month_before(month: str) -> str:
    """The month before."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}"


def difference(before: Values, after: Values) -> tuple[Values, Values]:
    """What differs, as it was and as it is."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def stream_values(stream: Stream) -> Values:
    """A stream for the log."""
    values: dict[str, Any] = {name: _plain(getattr(stream, name)) for name in STREAM_FIELDS}
    values["sources"] = [_of_source(source) for source in stream.sources]
    values["custom_renditions"] = [vars(each) for each in stream.custom_renditions]
    return values


def user_values(user: User) -> Values:
    """An account for the log."""
    return {"role": user.role.value, "disabled": user.disabled}


def erased_values(erased_at_ms: int) -> Values:
    """An account that is no more, for the log: nothing that tells whose it was."""
    return {"erased_at_ms": erased_at_ms}


def _of_source(source: Ingest) -> Values:
    """A source without what may be secret in its address: user info, path, query."""
    values = {name: _plain(value) for name, value in vars(source).items() if value is not None and name != "url"}
    if source.url is not None:
        parts = urlsplit(source.url)
        values["url"] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
    return values


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
