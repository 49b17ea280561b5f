"""Rotation of the token keys in two phases, minutes apart; see `domain/access/key_sets.py`."""

import base64
import secrets

from chalicelib.domain.access.key_sets import KEY_DAYS, MS_PER_DAY, KeySets, rotated
from chalicelib.ports.access.keys import KeyStore
from chalicelib.ports.common import Clock

KEY_BYTES = 32
# The least time between a change of keys and a manual rotation. Processes sign with the previous key for up to 10
# minutes, those tokens live for 15 minutes, and a second rotation drops their key.
SETTLED_MS = 30 * 60_000


class KeyRotation:
    """Takes the step that is due. Concurrent calls are safe: one of them takes it."""

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def rotate_if_due(self) -> KeySets:
        """Announce keys if the current ones are `KEY_DAYS` old, or make announced ones current when due.

        Raise `RowRefused` after a concurrent step.
        """
        return self._step(announce_after_ms=KEY_DAYS * MS_PER_DAY)

    def begin(self) -> KeySets:
        """Announce new keys now if the last change has settled, or continue with announced ones."""
        return self._step(announce_after_ms=SETTLED_MS)

    def _step(self, *, announce_after_ms: int) -> KeySets:
        sets, version = self._store.read()
        new = rotated(sets, new_key, self._clock.now_ms(), announce_after_ms=announce_after_ms)
        if new != sets:
            self._store.replace(version, new)
        return new


def new_key() -> str:
    """Return 256 random bits in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
