"""The port `KeyStore`: the fake and Secrets Manager keep the same promises."""

import pytest

from chalicelib.adapters.access.secret_keys import SecretKeyStore
from chalicelib.config import Settings
from chalicelib.domain.access.key_sets import first_key_sets, rotated
from chalicelib.ports.common import RowRefused
from chalicelib.ports.keys import KeyStore
from chalicelib.services.access.key_rotation import KeyRotation, new_key
from tests.fakes.access.keys import MemoryKeyStore
from tests.fakes.simple import SetClock


@pytest.fixture
def store(stage: Settings | None) -> KeyStore:
    return SecretKeyStore(stage.token_secret) if stage else MemoryKeyStore(first_key_sets(new_key, 0))


def test_of_two_rotations_at_once_one_is_refused_and_no_key_is_lost(store: KeyStore) -> None:
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


def test_both_phases_and_the_remaining_keys(store: KeyStore) -> None:
    clock = SetClock(10**13)
    rotation = KeyRotation(store, clock)
    before, _ = store.read()
    for _ in range(2):
        rotation.rotate_if_due()
        announced, _ = store.read()
        assert {(each.current, each.announced) for each in announced.values()} == {("k1", "k2")}
    clock.advance(120_000)
    rotation.rotate_if_due()
    after, _ = store.read()
    assert {(each.current, each.announced, tuple(each.keys)) for each in after.values()} == {("k2", None, ("k1", "k2"))}
    assert {kind: each.keys["k1"] for kind, each in after.items()} == {k: each.keys["k1"] for k, each in before.items()}
