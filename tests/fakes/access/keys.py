"""The port `KeyStore` in memory."""

from chalicelib.domain.access.key_sets import KeySets
from chalicelib.ports.common import RowRefused


class MemoryKeyStore:
    def __init__(self, sets: KeySets) -> None:
        self.sets, self._version, self.fails = sets, 1, False

    def read(self) -> tuple[KeySets, str]:
        return self.sets, str(self._version)

    def replace(self, version: str, sets: KeySets) -> None:
        if version != str(self._version):
            raise RowRefused
        self.sets, self._version = sets, self._version + 1
