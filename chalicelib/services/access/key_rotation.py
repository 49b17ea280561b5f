"""Rotating the token keys, in two phases that are minutes apart; see `domain/access/key_sets.py`."""

import base64
import secrets

from chalicelib.domain.access.key_sets import KEY_DAYS, MS_PER_DAY, KeySets, rotated
from chalicelib.ports import Clock, KeyStore

KEY_BYTES = 32
# No sooner after a change of keys is the next one begun by hand: processes sign with the key before for up to ten
# minutes, those tokens live for a quarter of an hour, and a second rotation drops their key.
SETTLED_MS = 30 * 60_000


class KeyRotation:
    """Takes the next step that is due. Steps may be tried by several at once: one of them makes it."""

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def rotate_if_due(self) -> KeySets:
        """Announce keys where the current ones are `KEY_DAYS` old, make announced ones current when it is time.

        Raises `RowRefused` if another step was made meanwhile.
        """
        return self._step(announce_after_ms=KEY_DAYS * MS_PER_DAY)

    def begin(self) -> KeySets:
        """Announce new keys now, if those before have settled; where some are announced, go on with those."""
        return self._step(announce_after_ms=SETTLED_MS)

    def _step(self, *, announce_after_ms: int) -> KeySets:
        sets, version = self._store.read()
        new = rotated(sets, new_key, self._clock.now_ms(), announce_after_ms=announce_after_ms)
        if new != sets:
            self._store.replace(version, new)
        return new


def new_key() -> str:
    """256 random bits, in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
