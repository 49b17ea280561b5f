"""Keys rotate while processes run that have read them at different times: no valid token is refused."""

import random

import pytest

from chalicelib.adapters.access.jwt_tokens import REREAD_S_MAX, JwtTokens
from chalicelib.domain.access.key_sets import ANNOUNCED_MS, KEY_DAYS, MS_PER_DAY, REREAD_MS_MIN, KeySet, first_key_sets
from chalicelib.domain.access.tokens import ACCESS_TTL_MS, AccessClaims, TokenKind
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.errors import Unauthenticated
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access.key_rotation import SETTLED_MS, KeyRotation, new_key
from infra.commands.rotate_keys import TooSoon, rotate
from tests.fakes.access.keys import MemoryKeyStore
from tests.fakes.simple import SetClock

PERIOD_MS = KEY_DAYS * MS_PER_DAY


class Site:
    """Processes that share a secret and a clock."""

    def __init__(self, processes: int) -> None:
        self.clock = SetClock()
        self.store = MemoryKeyStore(first_key_sets(new_key, self.clock.now_ms()))
        self.rotation = KeyRotation(self.store, self.clock)
        self.processes = [self.process() for _ in range(processes)]

    def process(self) -> JwtTokens:
        return JwtTokens(self.read, lambda: self.clock.now_ms() / 1000)

    def read(self) -> str:
        if self.store.fails:
            raise StoreUnavailable("no answer")
        return self.store.text()

    def claims(self) -> AccessClaims:
        return AccessClaims(
            user_id="u", role=Role.VIEWER, expires_at_ms=self.clock.now_ms() + ACCESS_TTL_MS, generation=1
        )


@pytest.mark.parametrize("seed", range(5))
def test_no_honest_token_is_refused_while_keys_rotate_and_strangers_forge_key_ids(seed: int) -> None:
    rng = random.Random(seed)
    site = Site(4)
    stranger = JwtTokens(MemoryKeyStore({kind: KeySet("k9", {"k9": new_key()}) for kind in TokenKind}).text)
    living: list[tuple[str, AccessClaims]] = []
    rotations = 0
    for _ in range(600):
        # Mostly seconds, sometimes hours without requests.
        site.clock.advance(rng.choice([100, 1_000, 20_000, 59_000, 61_000, 3_600_000]))
        if rng.random() < 0.3:
            sets = site.rotation.begin() if rng.random() < 0.3 else site.rotation.rotate_if_due()
            rotations = max(rotations, int(sets[TokenKind.ACCESS].current[1:]))
        if rng.random() < 0.3:
            with pytest.raises(Unauthenticated):
                rng.choice(site.processes).access(stranger.sign_access(site.claims()), 0)
        claims = site.claims()
        living.append((rng.choice(site.processes).sign_access(claims), claims))
        living = [each for each in living if each[1].expires_at_ms > site.clock.now_ms()]
        for token, signed in rng.sample(living, min(3, len(living))):
            assert rng.choice(site.processes).access(token, site.clock.now_ms()) == signed
    assert rotations > 5, "the test would prove nothing"


def test_in_one_phase_an_honest_token_would_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.domain.access.key_sets.ANNOUNCED_MS", 0)
    site = Site(1)
    site.clock.advance(PERIOD_MS)
    [just_read] = site.processes
    just_read.sign_access(site.claims())
    site.rotation.rotate_if_due()
    site.rotation.rotate_if_due()
    with pytest.raises(Unauthenticated):
        just_read.access(site.process().sign_access(site.claims()), 0)


def test_announced_keys_wait_longer_than_a_process_may_refuse_to_read_again() -> None:
    assert ANNOUNCED_MS > REREAD_MS_MIN
    # A process that has not heard of a new current key signs with the one before, which must not be dropped meanwhile.
    assert SETTLED_MS > REREAD_S_MAX * 1000 + ACCESS_TTL_MS


def test_a_key_is_announced_when_the_current_one_is_thirty_days_old() -> None:
    site = Site(0)
    site.clock.advance(PERIOD_MS - 1)
    assert {each.announced for each in site.rotation.rotate_if_due().values()} == {None}
    site.clock.advance(1)
    assert {each.announced for each in site.rotation.rotate_if_due().values()} == {"k2"}
    site.clock.advance(ANNOUNCED_MS - 1)
    assert {each.current for each in site.rotation.rotate_if_due().values()} == {"k1"}
    site.clock.advance(1)
    assert {(each.current, len(each.keys)) for each in site.rotation.rotate_if_due().values()} == {("k2", 2)}


def test_a_process_that_lives_long_signs_with_the_current_key_in_the_end() -> None:
    site = Site(1)
    site.clock.advance(PERIOD_MS)
    [old] = site.processes
    old.sign_access(site.claims())
    site.rotation.rotate_if_due()
    site.clock.advance(ANNOUNCED_MS)
    site.rotation.rotate_if_due()
    site.clock.advance(int(REREAD_S_MAX * 1000))
    import jwt

    assert jwt.get_unverified_header(old.sign_access(site.claims()))["kid"] == "k2"


def test_a_failing_reread_of_the_secret_keeps_known_keys() -> None:
    site = Site(1)
    [old] = site.processes
    known = old.sign_access(site.claims())
    site.clock.advance(PERIOD_MS)
    site.rotation.rotate_if_due()
    site.clock.advance(ANNOUNCED_MS)
    site.rotation.rotate_if_due()
    new = site.process().sign_access(site.claims())
    site.store.fails = True
    for _ in range(3):
        assert old.access(known, 0).user_id == "u"
        # Not a refusal, which would log the user out.
        with pytest.raises(StoreUnavailable):
            old.access(new, 0)
    site.store.fails = False
    site.clock.advance(REREAD_MS_MIN)
    assert old.access(new, 0).user_id == "u"


def test_the_command_takes_both_phases_and_waits_between_them() -> None:
    site, said = Site(0), list[str]()

    def wait(seconds: float) -> None:
        site.clock.advance(int(seconds * 1000))

    with pytest.raises(TooSoon):
        rotate(site.rotation, wait, said.append)
    site.clock.advance(SETTLED_MS)
    before = site.clock.now_ms()
    rotate(site.rotation, wait, said.append)
    assert site.clock.now_ms() - before == ANNOUNCED_MS
    assert said == [
        "announced: access k2, refresh k2, play k2; they become current in 120 s",
        "current: access k2, refresh k2, play k2",
    ]
