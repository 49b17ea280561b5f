"""Service keys: credentials of programs, such as a payment service, with scopes and an expiry.

A key is sent as `Authorization: Bearer tck_<id>_<secret>`. The secret is 260 random bits, so its hash is SHA-256: a
slow hash protects passwords, which can be guessed, and would only make each request slower here.
"""

import hmac
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from chalicelib.domain.errors import Conflict, KeyExpired, KeyInvalid, KeyRevoked
from chalicelib.domain.ids import KEY_ID, KEY_SECRET
from chalicelib.domain.operations.audit import KEY_ACTOR

KEY_PREFIX = "tck_"
_TOKEN = re.compile(rf"{KEY_PREFIX}({KEY_ID.pattern})_({KEY_SECRET.pattern})")
MS_PER_DAY, MS_PER_HOUR = 86_400_000, 3_600_000
# Keys of a stage that are neither expired nor revoked.
KEYS_MAX = 100
EXPIRY_DAYS_MAX = 400
OVERLAP_HOURS_MAX = 168
# The newest secret, and older ones within their overlap.
SECRETS_MAX = 5
# How long keys are listed after their expiry: as long as the audit log names them.
LISTED_DAYS = 400
# The last use is stored at most once in this time, so that a busy key costs few writes.
USE_STORED_MS = 60_000


class Scope(StrEnum):
    """What a service key may do. Each route names the scope that it accepts, if any."""

    CREDIT = "credit"
    METRICS = "metrics"
    CANARY = "canary"


@dataclass(frozen=True, kw_only=True)
class KeySecret:
    """The SHA-256 of a secret in hex, and until when it is accepted (None: until the key expires)."""

    hash: str
    until_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceKey:
    """A service key. `secrets` are the newest secret and older ones that are still accepted."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at_ms: int
    expires_at_ms: int
    secrets: tuple[KeySecret, ...]
    last_used_at_ms: int | None = None
    revoked_at_ms: int | None = None

    @property
    def actor_id(self) -> str:
        """The key as the actor of an audit entry and the author of a payment."""
        return f"{KEY_ACTOR}{self.key_id}"

    def is_usable(self, now_ms: int) -> bool:
        """Return whether the key is neither expired nor revoked."""
        return self.revoked_at_ms is None and now_ms < self.expires_at_ms

    def check(self, secret: str, now_ms: int) -> None:
        """Raise `KeyInvalid` for a wrong secret, `KeyRevoked` or `KeyExpired` for one that was right."""
        given = secret_hash(secret)
        # All are compared, each in constant time, so that the time does not depend on which one fits.
        fits = [
            hmac.compare_digest(each.hash, given) and (each.until_ms is None or now_ms < each.until_ms)
            for each in self.secrets
        ]
        if not any(fits):
            raise KeyInvalid("The service key is unknown, or its secret was replaced.")
        if self.revoked_at_ms is not None:
            raise KeyRevoked(f"The service key {self.key_id} was revoked. Ask an operator for another one.")
        if now_ms >= self.expires_at_ms:
            raise KeyExpired(f"The service key {self.key_id} has expired. Ask an operator to rotate it.")

    def is_use_due(self, now_ms: int) -> bool:
        """Return whether a use now is stored."""
        return self.last_used_at_ms is None or now_ms - self.last_used_at_ms >= USE_STORED_MS


def rotated(key: ServiceKey, secret: str, now_ms: int, overlap_ms: int, expires_at_ms: int | None) -> ServiceKey:
    """Return the key with a new secret. Older secrets are accepted for the overlap at most, some end earlier.

    `expires_at_ms` is a new expiry, or None to keep it. Raise `Conflict` for a revoked key, an expired one without a
    new expiry, and one with `SECRETS_MAX` secrets that are still accepted.
    """
    if key.revoked_at_ms is not None:
        raise Conflict("The key was revoked, for good. Create another one.")
    if expires_at_ms is None and now_ms >= key.expires_at_ms:
        raise Conflict("The key has expired. Give expires_in_days, from now.")
    until_ms = now_ms + overlap_ms
    older = [replace(each, until_ms=min(each.until_ms or until_ms, until_ms)) for each in key.secrets]
    accepted = tuple(each for each in older if each.until_ms is not None and each.until_ms > now_ms)
    if len(accepted) >= SECRETS_MAX:
        raise Conflict(f"The key has {SECRETS_MAX} secrets in their overlap. Give overlap_hours 0, which ends them.")
    new = KeySecret(hash=secret_hash(secret))
    return replace(key, secrets=(new, *accepted), expires_at_ms=expires_at_ms or key.expires_at_ms)


def secret_hash(secret: str) -> str:
    """Return the stored form of a secret."""
    return sha256(secret.encode()).hexdigest()


def key_token(key_id: str, secret: str) -> str:
    """Return a key as it is sent."""
    return f"{KEY_PREFIX}{key_id}_{secret}"


def parse_token(token: str) -> tuple[str, str]:
    """Return id and secret of a key. Raise `KeyInvalid` for another form."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise KeyInvalid("This is not a service key. It has the form tck_<id>_<secret>.")
    return found[1], found[2]
