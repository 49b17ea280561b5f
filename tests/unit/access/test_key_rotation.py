"""Keys rotate while processes run that have read them at different times: no valid token is refused."""

import random

import jwt
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
STRANGERS_KEYS = {kind: KeySet("k9", {"k9": new_key()}) for kind in TokenKind}
STRANGER = JwtTokens(lambda: STRANGERS_KEYS)


class Site:
    """Processes that share a secret and a clock."""

    def __init__(self, processes):
        self.clock, self.reads = SetClock(), 0
        self.store = MemoryKeyStore(first_key_sets(new_key, self.clock.now_ms()))
        self.rotation = KeyRotation(self.store, self.clock)
        self.processes = [self.process() for _ in range(processes)]

    def process(self):
        return JwtTokens(self.read, lambda: self.clock.now_ms() / 1000)

    def read(self):
        self.reads += 1
        if self.store.fails:
            raise StoreUnavailable("no answer")
        return self.store.sets

    def claims(self):
        expires_at_ms = self.clock.now_ms() + ACCESS_TTL_MS
        return AccessClaims(user_id="u", role=Role.VIEWER, expires_at_ms=expires_at_ms, generation=1)

    def rotate(self):
        """Announce a key, and use it after a while."""
        self.rotation.rotate_if_due()
        self.clock.advance(ANNOUNCED_MS)
        self.rotation.rotate_if_due()


@pytest.mark.parametrize("seed", range(5))
def test_no_honest_token_is_refused_while_keys_rotate_and_strangers_forge_key_ids(seed):
    rng, site = random.Random(seed), Site(4)
    living, rotations = [], 0
    for _ in range(600):
        # Mostly seconds, sometimes hours without requests.
        site.clock.advance(rng.choice([100, 1_000, 20_000, 59_000, 61_000, 3_600_000]))
        if rng.random() < 0.3:
            sets = site.rotation.begin() if rng.random() < 0.3 else site.rotation.rotate_if_due()
            rotations = max(rotations, int(sets[TokenKind.ACCESS].current[1:]))
        if rng.random() < 0.3:
            with pytest.raises(Unauthenticated):
                rng.choice(site.processes).access(STRANGER.sign_access(site.claims()), 0)
        claims = site.claims()
        living.append((rng.choice(site.processes).sign_access(claims), claims))
        living = [each for each in living if each[1].expires_at_ms > site.clock.now_ms()]
        for token, signed in rng.sample(living, min(3, len(living))):
            assert rng.choice(site.processes).access(token, site.clock.now_ms()) == signed
    assert rotations > 5, "the test would prove nothing"


def test_a_key_is_announced_at_thirty_days_and_waits_longer_than_a_process_reads_again():
    assert ANNOUNCED_MS > REREAD_MS_MIN
    # A process that has not heard of a new current key signs with the one before, which must not be dropped meanwhile.
    assert SETTLED_MS > REREAD_S_MAX * 1000 + ACCESS_TTL_MS
    site, states = Site(0), []
    for wait_ms in (PERIOD_MS - 1, 1, ANNOUNCED_MS - 1, 1):
        site.clock.advance(wait_ms)
        [state] = {(each.announced, each.current, len(each.keys)) for each in site.rotation.rotate_if_due().values()}
        states.append(state)
    assert states == [(None, "k1", 1), ("k2", "k1", 2), ("k2", "k1", 2), (None, "k2", 2)]


def test_a_process_that_lives_long_signs_with_the_current_key_in_the_end():
    site = Site(1)
    [old] = site.processes
    site.clock.advance(PERIOD_MS)
    old.sign_access(site.claims())
    site.rotate()
    site.clock.advance(int(REREAD_S_MAX * 1000))
    assert jwt.get_unverified_header(old.sign_access(site.claims()))["kid"] == "k2"


def test_a_process_learns_of_a_new_key_and_keeps_the_old_one_while_it_cannot_read_again():
    site = Site(1)
    [old] = site.processes
    known = old.sign_access(site.claims())
    site.clock.advance(PERIOD_MS)
    site.rotate()
    new = site.process().sign_access(site.claims())
    site.store.fails = True
    for _ in range(3):
        assert old.access(known, 0).user_id == "u"
        # Not a refusal, which would log the user out.
        with pytest.raises(StoreUnavailable):
            old.access(new, 0)
    site.store.fails = False
    site.clock.advance(REREAD_MS_MIN)
    for token in (new, known, old.sign_access(site.claims())):
        assert old.access(token, 0).user_id == "u"


def test_a_damaged_key_replaces_no_known_one():
    site = Site(1)
    [process] = site.processes
    token = process.sign_access(site.claims())
    site.store.sets = {kind: KeySet("k1", {"k1": "damaged"}) for kind in TokenKind}
    for _ in range(2):
        site.clock.advance(int(REREAD_S_MAX * 1000))
        assert process.access(token, 0).user_id == process.access(process.sign_access(site.claims()), 0).user_id == "u"


def test_forged_key_ids_do_not_make_us_read_the_secret_each_time():
    site = Site(1)
    [process] = site.processes
    process.access(process.sign_access(site.claims()), 0)
    for _ in range(50):
        site.clock.advance(1_000)
        with pytest.raises(Unauthenticated):
            process.access(STRANGER.sign_access(site.claims()), 0)
    assert site.reads == 1


def test_the_command_takes_both_phases_and_waits_between_them():
    site, said = Site(0), []

    def wait(seconds):
        site.clock.advance(int(seconds * 1000))

    with pytest.raises(TooSoon):
        rotate(site.rotation, wait, said.append)
    site.clock.advance(SETTLED_MS)
    before = site.clock.now_ms()
    rotate(site.rotation, wait, said.append)
    assert site.clock.now_ms() - before == ANNOUNCED_MS
    keys = "access k2, refresh k2, play k2"
    assert said == [f"announced: {keys}; they become current in 120 s", f"current: {keys}"]
