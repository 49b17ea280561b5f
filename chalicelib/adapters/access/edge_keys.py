"""The token keys of a stage with CloudFront, whose KeyValueStore holds a copy of the play keys.

Whatever can read that store can make play tokens; it is one of the stage's secrets.
"""

from __future__ import annotations

from chalicelib.adapters.access.keyvalue_store import KeyValueStore
from chalicelib.domain.access.key_sets import KeySets
from chalicelib.domain.access.tokens import TokenKind
from chalicelib.ports.access.keys import KeyStore
from chalicelib.ports.common import StoreUnavailable

KEY_PREFIX = "key/"
LISTED_MAX = 100_000


class EdgeKeyStore:
    """A `KeyStore` that copies the play keys to the edges at every read and replacement.

    A rotation step reads first, so an announced key is at the edges before it becomes current. If copying failed when
    it was announced, the next step copies it and waits.
    """

    def __init__(self, keys: KeyStore, edges: KeyValueStore) -> None:
        self._keys = keys
        self._edges = edges

    def read(self) -> tuple[KeySets, str]:
        """Raise `StoreUnavailable` if the edges received a key only now."""
        sets, version = self._keys.read()
        if self.publish(sets):
            raise StoreUnavailable("the edges received the play keys only now; a new key may sign some minutes later")
        return sets, version

    def replace(self, version: str, sets: KeySets) -> None:
        self._keys.replace(version, sets)
        self.publish(sets)

    def publish(self, sets: KeySets) -> bool:
        """Copy these play keys (base64, by key id) to the edges and delete others. Return whether that changed
        anything.
        """
        wanted = {KEY_PREFIX + kid: key for kid, key in sets[TokenKind.PLAY].keys.items()}
        stored = {name: key for name, key in self._edges.items(LISTED_MAX) if name.startswith(KEY_PREFIX)}
        if stored != wanted:
            self._edges.write(wanted, [name for name in stored if name not in wanted])
        return stored != wanted
