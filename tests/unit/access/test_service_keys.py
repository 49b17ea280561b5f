"""Service keys by the clock: expiry, overlap of secrets, last use, and the maximum."""

import json

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.access.service_keys import EXPIRY_DAYS_MAX, KEYS_MAX, MS_PER_DAY, SECRETS_MAX, Scope
from chalicelib.domain.errors import Conflict, KeyExpired, KeyInvalid, KeyLimit, KeyNotFound, KeyRevoked, KeyScope
from chalicelib.domain.operations.audit import Actor
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access.service_keys import NewKey
from tests.fakes.stores import memory_services

OPERATOR = Actor(user_id="u_operator")
HOUR_MS, MINUTE_MS = 3_600_000, 60_000


@pytest.fixture
def services() -> Container:
    return memory_services()


def created(services: Container, *scopes: Scope, days: int = 30) -> NewKey:
    return services.service_keys.create("shop", scopes or (Scope.CREDIT,), days, by=OPERATOR)


def accepted(services: Container, token: str) -> bool:
    try:
        services.service_keys.authenticate(token, Scope.CREDIT)
    except KeyInvalid:
        return False
    return True


def test_a_key_is_accepted_until_it_expires_or_is_revoked(services: Container) -> None:
    first, second = created(services, days=2), created(services, days=2)
    services.stores.clock.advance(2 * MS_PER_DAY - 1)
    assert services.service_keys.authenticate(first.token, Scope.CREDIT).key_id == first.key.key_id
    services.service_keys.revoke(second.key.key_id, by=OPERATOR)
    with pytest.raises(KeyRevoked):
        services.service_keys.authenticate(second.token, Scope.CREDIT)
    services.stores.clock.advance(1)
    with pytest.raises(KeyExpired):
        services.service_keys.authenticate(first.token, Scope.CREDIT)


def test_a_wrong_secret_says_nothing_about_its_key(services: Container) -> None:
    key = created(services)
    services.service_keys.revoke(key.key.key_id, by=OPERATOR)
    other = key.token[:-1] + ("a" if key.token[-1] != "a" else "b")
    unknown = created(services).token.replace("tck_", "tck_a", 1)
    for token in (other, unknown, key.token.upper(), key.token + "a", key.token + "\n", "tck_", "tck__", "tck_a_b"):
        with pytest.raises(KeyInvalid):
            services.service_keys.authenticate(token, Scope.CREDIT)


def test_a_scope_opens_its_own_routes(services: Container) -> None:
    key = created(services, Scope.METRICS)
    services.service_keys.authenticate(key.token, Scope.METRICS)
    for scope in (Scope.CREDIT, None):
        with pytest.raises(KeyScope):
            services.service_keys.authenticate(key.token, scope)


def test_older_secrets_are_accepted_within_their_overlap(services: Container) -> None:
    first = created(services)
    key_id = first.key.key_id
    second = services.service_keys.rotate(key_id, 2, None, by=OPERATOR)
    services.stores.clock.advance(HOUR_MS)
    # A longer overlap of a later rotation prolongs no older secret.
    third = services.service_keys.rotate(key_id, 100, None, by=OPERATOR)
    assert [accepted(services, each.token) for each in (first, second, third)] == [True] * 3
    services.stores.clock.advance(HOUR_MS)
    assert [accepted(services, each.token) for each in (first, second, third)] == [False, True, True]
    # A shorter one ends all of them.
    fourth = services.service_keys.rotate(key_id, 0, None, by=OPERATOR)
    assert [accepted(services, each.token) for each in (first, second, third, fourth)] == [False] * 3 + [True]
    assert fourth.key.expires_at_ms == first.key.expires_at_ms


def test_secrets_in_their_overlap_are_bounded(services: Container) -> None:
    key_id = created(services).key.key_id
    for _ in range(SECRETS_MAX - 1):
        services.service_keys.rotate(key_id, 1, None, by=OPERATOR)
    with pytest.raises(Conflict, match="overlap_hours 0"):
        services.service_keys.rotate(key_id, 1, None, by=OPERATOR)
    assert len(services.service_keys.rotate(key_id, 0, None, by=OPERATOR).key.secrets) == 1


def test_an_expired_key_is_rotated_with_a_new_expiry_and_a_revoked_one_never(services: Container) -> None:
    key_id = created(services, days=1).key.key_id
    services.stores.clock.advance(MS_PER_DAY)
    with pytest.raises(Conflict, match="expires_in_days"):
        services.service_keys.rotate(key_id, 0, None, by=OPERATOR)
    assert accepted(services, services.service_keys.rotate(key_id, 0, EXPIRY_DAYS_MAX, by=OPERATOR).token)
    services.service_keys.revoke(key_id, by=OPERATOR)
    with pytest.raises(Conflict, match="revoked"):
        services.service_keys.rotate(key_id, 0, 1, by=OPERATOR)
    with pytest.raises(KeyNotFound):
        services.service_keys.rotate("a" * 16, 0, 1, by=OPERATOR)
    with pytest.raises(KeyNotFound):
        services.service_keys.revoke("a" * 16, by=OPERATOR)


def test_there_are_so_many_usable_keys_at_most(services: Container) -> None:
    keys = [created(services, days=1 if n else 2) for n in range(KEYS_MAX)]
    with pytest.raises(KeyLimit):
        created(services)
    # What was refused is not there.
    assert len(services.stores.service_keys.rows) == KEYS_MAX
    services.service_keys.revoke(keys[0].key.key_id, by=OPERATOR)
    created(services)
    services.stores.clock.advance(MS_PER_DAY)
    assert services.stores.service_keys.count_usable(services.stores.clock.now_ms()) == 1
    for _ in range(KEYS_MAX - 1):
        created(services)
    # Nor does an expired one come back beyond the maximum.
    with pytest.raises(KeyLimit):
        services.service_keys.rotate(keys[1].key.key_id, 0, 1, by=OPERATOR)


def test_the_last_use_is_stored_once_a_minute_and_fails_no_request(
    services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, store, clock = created(services), services.stores.service_keys, services.stores.clock
    stored, began_ms = [], clock.now_ms()
    mark = store.mark_used
    monkeypatch.setattr(store, "mark_used", lambda key_id, at_ms: (stored.append(at_ms), mark(key_id, at_ms)))
    for _ in range(4):
        services.service_keys.authenticate(key.token, Scope.CREDIT)
        clock.advance(MINUTE_MS // 2)
    assert stored == [began_ms, began_ms + MINUTE_MS]

    def fail(key_id: str, at_ms: int) -> None:
        raise StoreUnavailable("full")

    monkeypatch.setattr(store, "mark_used", fail)
    assert accepted(services, key.token)


def test_neither_the_store_nor_the_audit_log_has_a_secret(services: Container) -> None:
    first = created(services)
    second = services.service_keys.rotate(first.key.key_id, 1, 20, by=OPERATOR)
    services.service_keys.revoke(first.key.key_id, by=OPERATOR)
    log = services.stores.audit_log.entries
    assert [entry.action.name for entry in log] == ["key.create", "key.rotate", "key.revoke"]
    kept = json.dumps([str(each) for each in (*log, *services.stores.service_keys.rows.values())])
    for token in (first.token, second.token):
        assert token.rpartition("_")[2] not in kept
