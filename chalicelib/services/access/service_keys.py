"""Service keys: operators create, rotate and revoke them; programs authenticate with them."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.domain.access.service_keys import (
    KEYS_MAX,
    MS_PER_DAY,
    MS_PER_HOUR,
    KeySecret,
    Scope,
    ServiceKey,
    key_token,
    parse_token,
    rotated,
    secret_hash,
)
from chalicelib.domain.errors import Conflict, KeyInvalid, KeyLimit, KeyNotFound, KeyScope
from chalicelib.domain.ids import new_key_id, new_key_secret
from chalicelib.domain.operations.audit import Action, Actor, Values, difference
from chalicelib.ports.access.service_keys import ServiceKeyStore
from chalicelib.ports.common import Clock, ListPage, RowRefused, StoreUnavailable
from chalicelib.services.operations.audit import Audit

TOO_MANY = f"There are {KEYS_MAX} usable service keys, as many as allowed. Revoke one first."


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key and its token, which is stored nowhere."""

    key: ServiceKey
    token: str


class ServiceKeys:
    """The service keys of a stage."""

    def __init__(self, *, store: ServiceKeyStore, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def create(self, name: str, scopes: Collection[Scope], expires_in_days: int, *, by: Actor) -> NewKey:
        """Create a key. Raise `KeyLimit`."""
        now_ms, secret = self._clock.now_ms(), new_key_secret()
        key = ServiceKey(
            key_id=new_key_id(),
            name=name,
            scopes=tuple(sorted(set(scopes))),
            created_by=by.user_id,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + expires_in_days * MS_PER_DAY,
            secrets=(KeySecret(hash=secret_hash(secret)),),
        )
        # Counted with this one, so that two operators at once cannot exceed the maximum.
        self._store.add(key)
        if self._store.count_usable(now_ms) > KEYS_MAX:
            self._store.remove(key.key_id)
            raise KeyLimit(TOO_MANY)
        self._audit.record(by, Action(name="key.create", target=key.key_id, after=_logged(key)))
        return NewKey(key=key, token=key_token(key.key_id, secret))

    def listing(self, *, limit: int, cursor: str | None) -> ListPage[ServiceKey]:
        """Return a page of all keys, expired and revoked ones included."""
        return self._store.list(limit=limit, cursor=cursor)

    def rotate(self, key_id: str, overlap_hours: int, expires_in_days: int | None, *, by: Actor) -> NewKey:
        """Give a key a new secret. Older ones are accepted for `overlap_hours` at most.

        `expires_in_days` is a new expiry from now, None keeps it. Raise `KeyNotFound`, `Conflict`, or `KeyLimit` for an
        expired key.
        """
        now_ms, secret = self._clock.now_ms(), new_key_secret()
        seen = self._store.get(key_id)
        if seen is None:
            raise KeyNotFound(f"There is no service key {key_id}.")
        expires_at_ms = None if expires_in_days is None else now_ms + expires_in_days * MS_PER_DAY
        key = rotated(seen, secret, now_ms, overlap_hours * MS_PER_HOUR, expires_at_ms)
        if not seen.is_usable(now_ms) and self._store.count_usable(now_ms) >= KEYS_MAX:
            raise KeyLimit(TOO_MANY)
        try:
            self._store.rotate(seen, key)
        except RowRefused:
            raise Conflict("The key was rotated or revoked meanwhile. Look at it, and try again.") from None
        before, after = difference(_logged(seen), _logged(key))
        details = {"overlap_hours": overlap_hours}
        action = Action(name="key.rotate", target=key_id, before=before, after=after, details=details)
        self._audit.record(by, action)
        return NewKey(key=key, token=key_token(key_id, secret))

    def revoke(self, key_id: str, *, by: Actor) -> ServiceKey:
        """Revoke a key for good, from the next request on. Revoking again changes nothing. Raise `KeyNotFound`."""
        key = self._store.revoke(key_id, self._clock.now_ms())
        if key is None:
            raise KeyNotFound(f"There is no service key {key_id}.")
        after = {"revoked_at_ms": key.revoked_at_ms}
        self._audit.record(by, Action(name="key.revoke", target=key_id, after=after))
        return key

    def authenticate(self, token: str, scope: Scope | None) -> ServiceKey:
        """Return the key of a token, for a route that accepts this scope (None: no key at all).

        The key is read at each request and never cached. Raise `KeyInvalid`, `KeyRevoked`, `KeyExpired` or `KeyScope`.
        """
        key_id, secret = parse_token(token)
        now_ms, key = self._clock.now_ms(), self._store.get(key_id)
        if key is None:
            raise KeyInvalid("The service key is unknown, or its secret was replaced.")
        key.check(secret, now_ms)
        if scope is None:
            raise KeyScope("Service keys may not do this.")
        if scope not in key.scopes:
            raise KeyScope(f"The service key needs the scope {scope.value}. It has {', '.join(key.scopes)}.")
        if key.is_use_due(now_ms):
            # For people. A failure must not fail the request.
            with suppress(StoreUnavailable):
                self._store.mark_used(key_id, now_ms)
            return replace(key, last_used_at_ms=now_ms)
        return key


def _logged(key: ServiceKey) -> Values:
    """Return what the audit log keeps of a key: nothing of its secrets."""
    return {"name": key.name, "scopes": [each.value for each in key.scopes], "expires_at_ms": key.expires_at_ms}
