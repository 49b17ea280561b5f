"""The contract of stores of service keys."""

from dataclasses import replace

import pytest

from chalicelib.domain.access.service_keys import MS_PER_DAY, KeySecret, Scope, ServiceKey, rotated, secret_hash
from chalicelib.domain.ids import new_key_id
from chalicelib.ports.common import RowRefused, all_items
from chalicelib.stores import Stores

NOW = 1_800_000_000_000


def a_key(**changes: object) -> ServiceKey:
    key = ServiceKey(
        key_id=new_key_id(),
        name="shop",
        scopes=(Scope.CREDIT, Scope.METRICS),
        created_by="u_admin",
        created_at_ms=NOW,
        expires_at_ms=NOW + MS_PER_DAY,
        secrets=(KeySecret(hash=secret_hash("first")),),
    )
    return replace(key, **changes)  # type: ignore[arg-type]


def added(money: Stores, **changes: object) -> ServiceKey:
    key = a_key(**changes)
    money.service_keys.add(key)
    return key


def test_a_key_is_read_as_it_was_added(money: Stores) -> None:
    key = added(money)
    assert money.service_keys.get(key.key_id) == key
    assert money.service_keys.get(new_key_id()) is None
    assert key in list(all_items(money.service_keys.list, limit=2))
    money.service_keys.remove(key.key_id)
    money.service_keys.remove(key.key_id)
    assert money.service_keys.get(key.key_id) is None


def test_a_rotation_holds_against_what_was_seen(money: Stores) -> None:
    key = added(money)
    new = rotated(key, "second", NOW, 1_000, NOW + 2 * MS_PER_DAY)
    money.service_keys.mark_used(key.key_id, NOW)
    money.service_keys.rotate(key, new)
    assert money.service_keys.get(key.key_id) == replace(new, last_used_at_ms=NOW)
    assert [each.until_ms for each in new.secrets] == [None, NOW + 1_000]
    with pytest.raises(RowRefused):
        money.service_keys.rotate(key, rotated(key, "third", NOW, 0, None))
    money.service_keys.revoke(key.key_id, NOW)
    with pytest.raises(RowRefused):
        money.service_keys.rotate(new, rotated(new, "third", NOW, 0, None))


def test_a_revocation_is_kept_and_made_once(money: Stores) -> None:
    key = added(money)
    revoked = money.service_keys.revoke(key.key_id, NOW + 5)
    assert revoked == replace(key, revoked_at_ms=NOW + 5) == money.service_keys.get(key.key_id)
    assert money.service_keys.revoke(key.key_id, NOW + 9) == revoked
    assert money.service_keys.revoke(new_key_id(), NOW) is None


def test_uses_only_go_forward_and_create_nothing(money: Stores) -> None:
    key = added(money)
    for at_ms in (NOW + 5, NOW + 2, NOW + 9):
        money.service_keys.mark_used(key.key_id, at_ms)
    found = money.service_keys.get(key.key_id)
    assert found is not None and found.last_used_at_ms == NOW + 9
    money.service_keys.mark_used(unknown := new_key_id(), NOW)
    assert money.service_keys.get(unknown) is None


def test_keys_that_are_expired_or_revoked_are_not_counted(money: Stores) -> None:
    before = money.service_keys.count_usable(NOW)
    added(money)
    added(money, expires_at_ms=NOW)
    money.service_keys.revoke(added(money).key_id, NOW)
    assert money.service_keys.count_usable(NOW) == before + 1
    assert money.service_keys.count_usable(NOW + 2 * MS_PER_DAY) == 0
