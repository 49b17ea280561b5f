"""Keys rotate while processes live on."""

import json
from collections.abc import Mapping

import pytest

from chalicelib.adapters.access.jwt_tokens import REREAD_S_MIN, JwtTokens
from chalicelib.domain.access.tokens import AccessClaims
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.errors import Unauthenticated

CLAIMS = AccessClaims(user_id="u", role=Role.VIEWER, expires_at_ms=2_000_000_000_000)
KEYS = {"k1": "QUFB" * 11, "k2": "QkJC" * 11}


class Secret:
    """A secret that is rotated, and counts how often it was read."""

    def __init__(self) -> None:
        self.current, self.keys, self.reads = "k1", {"k1": KEYS["k1"]}, 0

    def __call__(self) -> str:
        self.reads += 1
        key_set: Mapping[str, object] = {"current": self.current, "keys": self.keys}
        return json.dumps(dict.fromkeys(("access", "refresh", "play"), key_set))


def test_a_process_learns_of_a_new_key_and_keeps_the_old_one() -> None:
    secret, clock = Secret(), [100.0]
    old = JwtTokens(secret, lambda: clock[0])
    before = old.sign_access(CLAIMS)
    secret.current, secret.keys = "k2", dict(KEYS)
    after = JwtTokens(secret, lambda: clock[0]).sign_access(CLAIMS)
    clock[0] += REREAD_S_MIN
    assert old.access(after, 0) == CLAIMS
    assert old.access(before, 0) == CLAIMS
    assert old.access(old.sign_access(CLAIMS), 0) == CLAIMS


def test_forged_key_ids_do_not_make_us_read_the_secret_each_time() -> None:
    secret, clock = Secret(), [100.0]
    tokens = JwtTokens(secret, lambda: clock[0])
    tokens.access(tokens.sign_access(CLAIMS), 0)
    other = Secret()
    other.current, other.keys = "k2", dict(KEYS)
    forged = JwtTokens(other).sign_access(CLAIMS)
    for _ in range(50):
        clock[0] += 1.0
        with pytest.raises(Unauthenticated):
            tokens.access(forged, 0)
    assert secret.reads == 1
