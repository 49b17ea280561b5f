"""The port `KeyStore`: the fake and Secrets Manager keep the same promises."""

import pytest

from chalicelib.domain.access.key_sets import rotated
from chalicelib.ports.common import RowRefused
from chalicelib.services.access.key_rotation import new_key
from chalicelib.stores import Stores


def test_of_two_rotations_at_once_one_is_refused_and_no_key_is_lost(stores: Stores) -> None:
    store = stores.token_keys
    sets, version = store.read()
    one, other = (rotated(sets, new_key, 10**13, announce_after_ms=0) for _ in range(2))
    store.replace(version, one)
    with pytest.raises(RowRefused):
        store.replace(version, other)
    found, later = store.read()
    assert found == one != other
    assert later != version
    store.replace(later, sets)
    assert store.read()[0] == sets
