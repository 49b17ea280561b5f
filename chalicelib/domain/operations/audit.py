"""Entries of the audit log, and what they may contain."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.accounts.users import User
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.wallets import Payment
from chalicelib.domain.streams.ingest import Ingest
from chalicelib.domain.streams.stream import Stream

Values = Mapping[str, Any]
AUDIT_DAYS = 400
# Before the id of a service key that acts.
KEY_ACTOR = "key:"
# Logged in place of a password.
WAS_RESET = "reset"
# The logged settings of a stream, without the ingest key.
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
    """An action on a target, for instance `stream.edit` on `stream-1`. `user_id` is the affected account, if any.

    `before` and `after` hold what changed, without passwords, keys, tokens or signed queries.
    """

    name: str
    target: str
    user_id: str | None = None
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    details: Values = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The operator or service key (`key:<id>`) of an action, and the address of the request."""

    user_id: str
    ip: str = ""

    @property
    def is_key(self) -> bool:
        """Whether a program acts with a service key."""
        return self.user_id.startswith(KEY_ACTOR)


# The actor of commands in infra/, which have no account.
COMMAND = Actor(user_id="operator-command")


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """An action with its actor, address and time. Ids sort by time.

    `ip` is None after addresses expire, and entries are stored without it (`domain/access/clients.py`).
    """

    audit_id: str
    at_ms: int
    by_user_id: str
    action: Action
    ip: str | None = None


def account_action(before: User | None, after: User, changes: Collection[str] = ()) -> Action:
    """Return the action that created an account, or changed the fields named in `changes`.

    Another operator may have changed other fields meanwhile.
    """
    user_id = after.user_id
    if before is None:
        return Action(name="user.create", target=user_id, user_id=user_id, after=user_values(after))
    old, new = ({k: v for k, v in user_values(each).items() if k in changes} for each in (before, after))
    was, now = difference(old, new)
    details = {"password": WAS_RESET} if "password" in changes else {}
    return Action(name="user.edit", target=user_id, user_id=user_id, before=was, after=now, details=details)


def reversal_action(payment: Payment, disable_account: bool) -> Action:
    """Return the action that reversed a payment. A repetition has the same values."""
    return Action(
        name="payment.reverse",
        target=payment.payment_id,
        user_id=payment.user_id,
        after={
            "reversed_millipoints": payment.reversed_millipoints,
            "shortfall_millipoints": payment.shortfall_millipoints,
        },
        details={
            "millipoints": payment.millipoints,
            "source": payment.source,
            "note": payment.reversal_note,
            "disable_account": disable_account,
        },
    )


def kick_action(record: SessionRecord, reason: str) -> Action:
    """Return the action of a kick, with the message that the viewer got."""
    message = {"message": record.message} if record.message else {}
    return Action(
        name="session.kick",
        target=record.session_id,
        user_id=record.user_id,
        after={"end_reason": record.end_reason},
        details={"reason": reason, "stream_id": record.stream_id, **message},
    )


def stream_action(name: str, before: Stream | None, after: Stream) -> Action:
    """Return the action that changed a stream, or created it if `before` is None."""
    old, new = difference(stream_values(before) if before else {}, stream_values(after))
    return Action(name=name, target=after.stream_id, before=old if before else {}, after=new)


def audit_id_of(at_ms: int, random_part: str) -> str:
    """Return an id that sorts by time."""
    return f"{at_ms:013d}.{random_part}"


def month_of(at_ms: int) -> str:
    """Return the month (UTC) of a time: the partition of the log."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


def month_before(month: str) -> str:
    """Return the previous month."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}"


def month_start_ms(month: str) -> int:
    """Return the first millisecond of a month (UTC)."""
    return int(datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).timestamp()) * 1000


def difference(before: Values, after: Values) -> tuple[Values, Values]:
    """Return the values that differ, before and after."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def stream_values(stream: Stream) -> Values:
    """Return the logged values of a stream."""
    values: dict[str, Any] = {name: getattr(stream, name) for name in STREAM_FIELDS}
    values["sources"] = [_of_source(source) for source in stream.sources]
    values["custom_renditions"] = [vars(each) for each in stream.custom_renditions]
    return values


def user_values(user: User) -> Values:
    """Return the logged values of an account."""
    return {"role": user.role.value, "disabled": user.disabled}


def _of_source(source: Ingest) -> Values:
    """Return a source without the parts of its URL that may be secret: user info, path, query."""
    values = {name: value for name, value in vars(source).items() if value is not None and name != "url"}
    if source.url is not None:
        parts = urlsplit(source.url)
        values["url"] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
    return values
