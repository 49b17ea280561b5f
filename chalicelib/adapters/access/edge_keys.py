"""The token keys where CloudFront's function has the play keys, too: its KeyValueStore follows the secret.

Whoever may read that store may make play tokens; it belongs to the secrets of the stage.
"""

from __future__ import annotations

from chalicelib.adapters.access.keyvalue_store import KeyValueStore
from chalicelib.domain.access.key_sets import KeySets
from chalicelib.domain.access.tokens import TokenKind
from chalicelib.ports import KeyStore, StoreUnavailable

KEY_PREFIX = "key/"
LISTED_MAX = 100_000


class EdgeKeyStore:
    """The port `KeyStore`: another one, whose play keys are brought to the edges with every reading and replacing.

    A step of a rotation reads first, so a key that was announced is at the edges before it becomes current, also where
    bringing it there failed at the step that announced it: then no step is made until they have heard of it in time.
    """

    def __init__(self, keys: KeyStore, edges: KeyValueStore) -> None:
        self._keys = keys
        self._edges = edges

    def read(self) -> tuple[KeySets, str]:
        """Raises `StoreUnavailable`, too, where the edges have heard of a key only now."""
        sets, version = self._keys.read()
        if self.publish(sets):
            raise StoreUnavailable("the edges hear of the play keys only now; a key may sign some minutes later")
        return sets, version

    def replace(self, version: str, sets: KeySets) -> None:
        self._keys.replace(version, sets)
        self.publish(sets)

    def publish(self, sets: KeySets) -> bool:
        """Let the edges have these play keys (base64, by key id) and no others; whether that changed anything."""
        wanted = {KEY_PREFIX + kid: key for kid, key in sets[TokenKind.PLAY].keys.items()}
        there = {name: key for name, key in self._edges.items(LISTED_MAX) if name.startswith(KEY_PREFIX)}
        if there != wanted:
            self._edges.write(wanted, [name for name in there if name not in wanted])
        return there != wanted
