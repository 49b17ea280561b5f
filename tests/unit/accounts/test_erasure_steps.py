"""An interrupted erasure of a person can be repeated until it is complete."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.access.clients import Client, start_key
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Busy, UserNotFound
from chalicelib.services.accounts import erasure
from tests.fakes.accounts.identity import MemoryUsers
from tests.fakes.stores import memory_services

ANNA = User(user_id="u_anna", email="Anna@local", password_hash="x", role=Role.VIEWER)
STEPS = ("change", "end_all", "delete_of_user", "erase")


class Killed(Exception):
    """The process is no more."""


class Sessions:
    """A stub of `Billing`."""

    def __init__(self, users: MemoryUsers) -> None:
        self.users = users
        self.running = {"s-1", "s-2"}

    def end_all(self, user_id: str, reason: EndReason) -> None:
        assert self.users.rows[user_id].disabled and reason is EndReason.KICKED
        self.running.clear()


def services_of(killed_at: str = "", after: bool = False) -> Container:
    """Return services over stores in memory. They are killed before or after a step, once."""
    services = memory_services()
    users, clients, now_ms = services.stores.users, services.stores.clients, services.stores.clock.now_ms()
    services.billing = Sessions(users)
    users.add(ANNA)
    users.add(User(user_id="u_ben", email="ben@local", password_hash="x", role=Role.VIEWER))
    for number in range(250):
        clients.put(start_key(f"{number}"), "u_anna", Client(ip="192.0.2.1"), now_ms)
    clients.put(start_key("ben"), "u_ben", Client(ip="192.0.2.2"), now_ms)
    for owner in (users, services.billing, clients):
        if hasattr(owner, killed_at or "-"):
            setattr(owner, killed_at, _once(getattr(owner, killed_at), after))
    return services


def assert_erased(services: Container) -> None:
    users = services.stores.users
    assert users.get("u_anna") is None and users.by_email("anna@local") is None
    assert not services.billing.running
    assert list(services.stores.clients.rows) == [start_key("ben")] and users.get("u_ben")


def _once(step: Callable[..., Any], after: bool) -> Callable[..., Any]:
    killed = []

    def dying(*args: Any, **values: Any) -> Any:
        if killed:
            return step(*args, **values)
        killed.append(True)
        if after:
            step(*args, **values)
        raise Killed

    return dying


def test_a_person_is_erased_once_and_the_email_is_free() -> None:
    services = services_of()
    at_ms = services.erasure.erase("u_anna")
    assert_erased(services)
    services.stores.clock.at_ms += 5_000
    services.stores.clients.put(start_key("late"), "u_anna", Client(ip="192.0.2.1"), services.stores.clock.now_ms())
    assert services.erasure.erase("u_anna") == at_ms
    assert_erased(services)
    services.stores.users.add(User(user_id="u_other", email="anna@local", password_hash="y", role=Role.VIEWER))
    assert services.erasure.erase("u_anna") == at_ms
    assert services.stores.users.by_email("anna@local").user_id == "u_other"
    with pytest.raises(UserNotFound):
        services.erasure.erase("u_nobody")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_any_step_the_next_call_continues(step: str, after: bool) -> None:
    services = services_of(step, after)
    with pytest.raises(Killed):
        services.erasure.erase("u_anna")
    if step != "erase" or not after:
        assert services.stores.users.get("u_anna"), "the account is deleted last, so that another call can continue"
    services.erasure.erase("u_anna")
    assert_erased(services)


def test_many_addresses_take_further_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "ROUNDS_MAX", 2)
    services = services_of()
    with pytest.raises(Busy, match="Erase it again to continue"):
        services.erasure.erase("u_anna")
    services.erasure.erase("u_anna")
    assert_erased(services)


def test_an_account_that_is_enabled_meanwhile_is_not_erased() -> None:
    services = services_of()
    delete_of_user = services.stores.clients.delete_of_user

    def enabled_meanwhile(user_id: str, limit: int) -> int:
        services.stores.users.change(user_id, disabled=False)
        return delete_of_user(user_id, limit)

    services.stores.clients.delete_of_user = enabled_meanwhile  # type: ignore[method-assign]
    with pytest.raises(Busy, match="Erase it again"):
        services.erasure.erase("u_anna")
    assert services.stores.users.get("u_anna")
