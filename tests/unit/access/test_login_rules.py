"""Logging in, as far as it is a rule: the same work for every refusal, and none once a bucket is empty."""

import json

import pytest
from argon2 import PasswordHasher

from chalicelib.adapters.access.jwt_tokens import JwtTokens
from chalicelib.adapters.accounts.passwords import Argon2Passwords
from chalicelib.domain.access.limits import Allowances
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.errors import InvalidCredentials, TooManyRequests
from chalicelib.services.access.auth import Auth
from chalicelib.services.access.limiter import Limiter
from tests.fakes.access.limits import MemoryLimits
from tests.fakes.accounts.identity import CountingPasswords, MemoryUsers
from tests.fakes.simple import MemoryCounters, SetClock

KEY_SET = {"current": "k1", "keys": {"k1": "QUFB" * 11}}
PASSWORD = "a good password"
IP = "192.0.2.1"


class Desk:
    """The login service over fakes, with an active account (Ann) and a disabled one (Bob)."""

    def __init__(self):
        self.users, self.passwords, self.clock = MemoryUsers(), CountingPasswords(), SetClock()
        self.counters = MemoryCounters()
        for name, disabled in (("ann", False), ("bob", True)):
            who = {"user_id": f"u_{name * 6}", "email": f"{name}@local", "disabled": disabled}
            self.users.add(User(password_hash=self.passwords.hash(PASSWORD), role=Role.VIEWER, **who))
        self.auth = Auth(
            users=self.users,
            passwords=self.passwords,
            tokens=JwtTokens(lambda: json.dumps(dict.fromkeys(("access", "refresh", "play"), KEY_SET))),
            limiter=Limiter(limits=MemoryLimits(), allowances=Allowances(), clock=self.clock),
            counters=self.counters,
            clock=self.clock,
        )

    def refused(self, email, password="wrong"):
        with pytest.raises(InvalidCredentials) as refusal:
            self.auth.login(email, password, ip=IP)
        return refusal.value.detail


desk = pytest.fixture(lambda: Desk())


def test_each_refusal_costs_one_check_of_a_password_and_says_the_same(desk):
    said = {desk.refused(email) for email in ("ann@local", "unknown@local", "bob@local")}
    assert said == {desk.refused("bob@local", PASSWORD)}
    hashed = desk.passwords.hash(PASSWORD)
    assert (desk.passwords.checked, desk.counters.counts["login_failures"]) == ([hashed, None, hashed, hashed], 4)


@pytest.mark.parametrize("email", ["ann@local", "unknown@local", "bob@local"])
def test_an_empty_bucket_costs_no_check_at_all(desk, email):
    for _ in range(10):
        desk.refused(email)
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManyRequests):
            desk.auth.login(email, password, ip=IP)
    assert len(desk.passwords.checked) == 10
    desk.clock.advance(10_000)
    desk.refused(email)


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
