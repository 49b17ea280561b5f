"""Logging in, as far as it is a rule: the same work for every refusal, and none once a bucket is empty."""

import json
from dataclasses import dataclass, field

import pytest

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


@dataclass
class Desk:
    """The login service over fakes, with an active account (Ann) and a disabled one (Bob)."""

    users: MemoryUsers = field(default_factory=MemoryUsers)
    passwords: CountingPasswords = field(default_factory=CountingPasswords)
    clock: SetClock = field(default_factory=SetClock)
    counters: MemoryCounters = field(default_factory=MemoryCounters)

    def __post_init__(self) -> None:
        for name, disabled in (("ann", False), ("bob", True)):
            user_id = f"u_{name * 6}"
            hashed = self.passwords.hash(PASSWORD)
            self.users.add(
                User(user_id=user_id, email=f"{name}@local", password_hash=hashed, role=Role.VIEWER, disabled=disabled)
            )
        self.auth = Auth(
            users=self.users,
            passwords=self.passwords,
            tokens=JwtTokens(lambda: json.dumps(dict.fromkeys(("access", "refresh", "play"), KEY_SET))),
            limiter=Limiter(limits=MemoryLimits(), allowances=Allowances(), clock=self.clock),
            counters=self.counters,
            clock=self.clock,
        )

    def refused(self, email: str, password: str) -> str:
        with pytest.raises(InvalidCredentials) as refusal:
            self.auth.login(email, password, ip=IP)
        return refusal.value.detail


def test_each_refusal_costs_one_check_of_a_password_and_says_the_same() -> None:
    desk = Desk()
    tries = [("ann@local", "wrong"), ("unknown@local", "wrong"), ("bob@local", "wrong"), ("bob@local", PASSWORD)]
    said = {desk.refused(email, password) for email, password in tries}
    assert len(said) == 1
    hashed = desk.passwords.hash(PASSWORD)
    assert desk.passwords.checked == [hashed, None, hashed, hashed]
    assert desk.counters.counts["login_failures"] == 4


@pytest.mark.parametrize("email", ["ann@local", "unknown@local", "bob@local"])
def test_an_empty_bucket_costs_no_check_at_all(email: str) -> None:
    desk = Desk()
    for _ in range(10):
        desk.refused(email, "wrong")
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManyRequests):
            desk.auth.login(email, password, ip=IP)
    assert len(desk.passwords.checked) == 10
    desk.clock.advance(10_000)
    desk.refused(email, "wrong")


def test_the_hasher_takes_as_long_for_an_unknown_user(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    somebody = Argon2Passwords().hash(PASSWORD)
    real = {name: getattr(PasswordHasher, name) for name in ("hash", "verify")}

    def work_of_a_new_process(password_hash: str | None) -> list[str]:
        done: list[str] = []
        for name, method in real.items():
            monkeypatch.setattr(
                PasswordHasher, name, lambda *args, name=name, method=method: (done.append(name), method(*args))[1]
            )
        passwords = Argon2Passwords()
        assert not passwords.verify(password_hash, "wrong")
        assert not passwords.verify(password_hash, "wrong")
        return done

    assert work_of_a_new_process(None) == work_of_a_new_process(somebody) == ["hash", "verify", "verify"]
