"""Logging in, as far as it is a rule: the same work for every refusal, and none once a bucket is empty."""

import pytest
from argon2 import PasswordHasher

from chalicelib.adapters.accounts.passwords import Argon2Passwords
from chalicelib.domain.access.clients import Client
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.errors import InvalidCredentials, TooManyRequests
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.stores import memory_services

PASSWORD = "a good password"
IP = "192.0.2.1"


@pytest.fixture
def services():
    """The services over stores in memory, with an active account (Ann) and a disabled one (Bob)."""
    services = memory_services()
    for name, disabled in (("ann", False), ("bob", True)):
        who = {"user_id": f"u_{name * 6}", "email": f"{name}@local", "disabled": disabled}
        password_hash = services.stores.passwords.hash(PASSWORD)
        services.stores.users.add(User(password_hash=password_hash, role=Role.VIEWER, **who))
    return services


def refused(services, email, password="wrong"):
    with pytest.raises(InvalidCredentials) as refusal:
        services.auth.login(email, password, ip=IP)
    return refusal.value.detail


def test_each_refusal_costs_one_check_of_a_password_and_says_the_same(services):
    said = {refused(services, email) for email in ("ann@local", "unknown@local", "bob@local")}
    assert said == {refused(services, "bob@local", PASSWORD)}
    hashed = services.stores.passwords.hash(PASSWORD)
    assert services.stores.passwords.checked == [hashed, None, hashed, hashed]
    assert services.stores.counters.counts["login_failures"] == 4


@pytest.mark.parametrize("email", ["ann@local", "unknown@local", "bob@local"])
def test_an_empty_bucket_costs_no_check_at_all(services, email):
    for _ in range(10):
        refused(services, email)
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManyRequests):
            services.auth.login(email, password, ip=IP)
    assert len(services.stores.passwords.checked) == 10
    services.stores.clock.advance(10_000)
    refused(services, email)


def test_the_hasher_takes_as_long_for_an_unknown_user(monkeypatch):
    somebody, done = Argon2Passwords().hash(PASSWORD), []

    def note(name, method):
        monkeypatch.setattr(PasswordHasher, name, lambda *args: (done.append(name), method(*args))[1])

    for name in ("hash", "verify"):
        note(name, getattr(PasswordHasher, name))
    for password_hash in (None, somebody):
        done.clear()
        passwords = Argon2Passwords()
        assert not passwords.verify(password_hash, "wrong") and not passwords.verify(password_hash, "wrong")
        assert done == ["hash", "verify", "verify"]


def test_a_login_is_stored_with_its_client_and_a_refused_one_is_not(services, monkeypatch):
    clients, users = services.stores.clients, services.stores.users
    refused(services, "ann@local")
    assert clients.rows == {}
    services.auth.login("ann@local", PASSWORD, ip=IP, user_agent="mpv")
    [(key, row)] = clients.rows.items()
    assert key.startswith(f"login.{services.stores.clock.now_ms():013d}.")
    assert (row.user_id, row.client) == ("u_annannannannannann", Client(ip=IP, user_agent="mpv"))
    # An account that is erased between the check and the login: no address is left.
    clients.rows.clear()
    add_family = users.add_family

    def erased_meanwhile(seen, family, drop):
        users.change(seen.user_id, disabled=True)
        add_family(seen, family, drop)

    monkeypatch.setattr(users, "add_family", erased_meanwhile)
    refused(services, "ann@local", PASSWORD)
    assert clients.rows == {}


def test_a_login_does_not_need_the_store_of_addresses(services, monkeypatch):
    def fail(*_):
        raise StoreUnavailable("silent")

    monkeypatch.setattr(services.stores.clients, "put", fail)
    assert services.auth.login("ann@local", PASSWORD, ip=IP).user.email == "ann@local"
