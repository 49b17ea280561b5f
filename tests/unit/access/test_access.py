"""The access rule: every way in which a play token may be wrong, and the reason returned."""

import json
from dataclasses import replace

import pytest

from chalicelib.adapters.access.jwt_tokens import JwtTokens
from chalicelib.domain.access.clients import Client, media_key
from chalicelib.domain.access.tokens import PLAY_TTL_MS_MAX, AccessClaims, PlayClaims, RefreshClaims
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import BoundElsewhere, SessionOver, TokenExpired, Unauthenticated
from chalicelib.domain.money.lease import GRACE_MS
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession, SessionKind, SessionRecord
from chalicelib.domain.money.wallets import Wallet
from chalicelib.domain.streams.pacing import Pace
from chalicelib.domain.streams.stream import DesiredState, SessionBinding
from chalicelib.services.access.access import Access
from chalicelib.services.access.binding import Binding
from tests.fakes.access.clients import MemoryClients
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.wallets import MemoryStore, MemoryWallets
from tests.fakes.simple import SetClock

USER = "u_" + "a" * 20
SESSION_ID = "s" * 26
OTHER_SESSION_ID = "t" * 26
KEYS = {kind: {"current": "k1", "keys": {"k1": "QUFB" * 11}} for kind in ("access", "refresh", "play")}


class DesiredStates:
    """A stub of `Delivery`."""

    def __init__(self) -> None:
        self.state: DesiredState | None = DesiredState.LIVE
        self.policy = SessionBinding.OFF

    def desired(self, stream_id: str) -> DesiredState | None:
        return self.state

    def binding(self, stream_id: str) -> SessionBinding:
        return self.policy

    def pace(self, stream_id: str) -> Pace:
        return {"stream-1": Pace.USUAL}[stream_id]


class Services:
    """An access rule with one paid session behind it."""

    def __init__(self) -> None:
        self.clock = SetClock()
        now_ms = self.clock.now_ms()
        self.session = ActiveSession(
            session_id=SESSION_ID,
            stream_id="stream-1",
            kind=SessionKind.VIEWING,
            started_at_ms=now_ms,
            rate_millipoints_per_minute=60_000,
            lease_ms=10_000,
            charge_millipoints=10_000,
            seq=1,
            paid_until_ms=now_ms + 10_000,
            charged_millipoints=10_000,
            budget_millipoints=MILLIPOINTS_MAX,
            granted_ms=10_000,
        )
        self.store = MemoryStore()
        self.hold(self.session)
        self.desired = DesiredStates()
        self.tokens = JwtTokens(lambda: json.dumps(KEYS))
        self.clients = MemoryClients()
        self.access = Access(
            tokens=self.tokens,
            wallets=MemoryWallets(self.store),
            sessions=MemoryPlaybackSessions(self.store),
            delivery=self.desired,  # type: ignore[arg-type]
            binding=Binding(self.clients, self.clock),
            clock=self.clock,
        )

    def hold(self, session: ActiveSession, balance: int = 50_000) -> None:
        self.store.wallets[USER] = Wallet(
            user_id=USER, balance_millipoints=balance, sessions={session.session_id: session}
        )

    def token(self, **changes: object) -> str:
        values: dict[str, object] = {
            "user_id": USER,
            "session_id": SESSION_ID,
            "stream_id": "stream-1",
            "expires_at_ms": self.session.paid_until_ms + GRACE_MS,
        }
        return self.tokens.sign_play(PlayClaims(**{**values, **changes}))  # type: ignore[arg-type]

    def end(self, reason: EndReason) -> None:
        self.store.wallets[USER] = Wallet(user_id=USER)
        self.store.records[SESSION_ID] = SessionRecord(
            session_id=SESSION_ID,
            user_id=USER,
            stream_id="stream-1",
            kind=SessionKind.VIEWING,
            started_at_ms=0,
            rate_millipoints_per_minute=0,
            lease_ms=0,
            due_shard=0,
            due_ms=0,
            end_reason=reason,
        )


@pytest.fixture
def services() -> Services:
    return Services()


def test_a_paid_session_is_authorized_until_its_lease_ends(services: Services) -> None:
    decision = services.access.authorize(services.token(), SESSION_ID, None)
    assert (decision.stream_id, decision.user_id, decision.pace) == ("stream-1", USER, Pace.USUAL)
    assert decision.until_ms == services.session.paid_until_ms


def test_a_session_is_bound_to_its_first_client(services: Services) -> None:
    services.desired.policy = SessionBinding.ENFORCE
    home, away = Client(ip="192.0.2.1", user_agent="mpv"), Client(ip="192.0.2.2", user_agent="mpv")
    services.access.authorize(services.token(), SESSION_ID, home)
    assert services.clients.rows[media_key(SESSION_ID)].user_id == USER
    services.access.authorize(services.token(), SESSION_ID, home)
    for other in (away, None):
        with pytest.raises(BoundElsewhere):
            services.access.authorize(services.token(), SESSION_ID, other)


def test_a_decision_never_outlives_its_token(services: Services) -> None:
    expires_at_ms = services.clock.now_ms() + 1_000
    assert (
        services.access.authorize(services.token(expires_at_ms=expires_at_ms), SESSION_ID, None).until_ms
        == expires_at_ms
    )


def test_the_grace_lets_a_beat_arrive_and_no_more(services: Services) -> None:
    token = services.token(expires_at_ms=services.session.paid_until_ms + 60_000)
    services.clock.advance(10_000 + GRACE_MS - 1)
    assert services.access.authorize(token, SESSION_ID, None).until_ms < services.clock.now_ms()
    services.clock.advance(1)
    with pytest.raises(SessionOver) as over:
        services.access.authorize(token, SESSION_ID, None)
    assert over.value.reason is EndReason.LEASE_EXPIRED
    services.hold(services.session, balance=0)
    with pytest.raises(SessionOver) as over:
        services.access.authorize(token, SESSION_ID, None)
    assert over.value.reason is EndReason.BALANCE_EXHAUSTED


@pytest.mark.parametrize(
    ("millipoints", "reason"), [(0, EndReason.LEASE_EXPIRED), (1, EndReason.BALANCE_EXHAUSTED)], ids=["free", "cheap"]
)
def test_only_a_session_that_costs_points_ends_without_them(
    services: Services, millipoints: int, reason: EndReason
) -> None:
    services.hold(replace(services.session, charge_millipoints=millipoints), balance=0)
    services.clock.advance(10_000 + GRACE_MS)
    with pytest.raises(SessionOver) as over:
        services.access.authorize(services.token(), SESSION_ID, None)
    assert over.value.reason is reason


@pytest.mark.parametrize("reason", EndReason)
def test_an_ended_session_raises_its_reason_even_with_an_expired_token(services: Services, reason: EndReason) -> None:
    services.end(reason)
    for expires_at_ms in (services.clock.now_ms() + 10_000, services.clock.now_ms() - 10_000):
        with pytest.raises(SessionOver) as over:
            services.access.authorize(services.token(expires_at_ms=expires_at_ms), SESSION_ID, None)
        assert over.value.reason is reason


def test_an_expired_token_of_a_paid_session(services: Services) -> None:
    token = services.token(expires_at_ms=services.clock.now_ms())
    with pytest.raises(TokenExpired):
        services.access.authorize(token, SESSION_ID, None)


@pytest.mark.parametrize(
    ("desired", "reason"),
    [
        (DesiredState.PAUSED, EndReason.STREAM_PAUSED),
        (DesiredState.STOPPED, EndReason.STREAM_STOPPED),
        (None, EndReason.STREAM_STOPPED),
    ],
)
def test_a_stream_that_is_not_wanted_live(services: Services, desired: DesiredState | None, reason: EndReason) -> None:
    services.desired.state = desired
    with pytest.raises(SessionOver) as over:
        services.access.authorize(services.token(), SESSION_ID, None)
    assert over.value.reason is reason


def test_wrong_tokens_open_nothing(services: Services) -> None:
    later_ms = services.clock.now_ms() + 60_000
    wrong = {
        "none": None,
        "empty": "",
        "nonsense": "a.b.c",
        "access": services.tokens.sign_access(AccessClaims(user_id=USER, role=Role.ADMIN, expires_at_ms=later_ms)),
        "refresh": services.tokens.sign_refresh(
            RefreshClaims(user_id=USER, family_id="f", jti="j", expires_at_ms=later_ms)
        ),
        "another session": services.token(session_id=OTHER_SESSION_ID),
        "another user": services.token(user_id="u_" + "b" * 20),
        "another stream": services.token(stream_id="stream-2"),
        "cut": services.token()[:-2],
    }
    for name, token in wrong.items():
        with pytest.raises(Unauthenticated):
            pytest.fail(f"{name}: {services.access.authorize(token, SESSION_ID, None)}")


def test_a_good_token_opens_its_own_session_only(services: Services) -> None:
    other = replace(services.session, session_id=OTHER_SESSION_ID)
    services.store.wallets[USER] = Wallet(
        user_id=USER, balance_millipoints=50_000, sessions={SESSION_ID: services.session, OTHER_SESSION_ID: other}
    )
    token = services.token(session_id=OTHER_SESSION_ID)
    assert services.access.authorize(token, OTHER_SESSION_ID, None).session_id == OTHER_SESSION_ID
    with pytest.raises(Unauthenticated):
        services.access.authorize(token, SESSION_ID, None)


def test_a_token_lives_as_long_as_its_lease_and_the_grace(services: Services) -> None:
    token, expires_in_s = services.access.issue(USER, services.session)
    assert expires_in_s == 15
    assert services.tokens.play(token).expires_at_ms == services.session.paid_until_ms + GRACE_MS
    long = replace(services.session, paid_until_ms=services.clock.now_ms() + 600_000)
    assert services.access.issue(USER, long)[1] == PLAY_TTL_MS_MAX // 1000
    services.clock.advance(10_000 + GRACE_MS - 999)
    expires_in_s = services.access.issue(USER, services.session)[1]
    assert (type(expires_in_s), expires_in_s) == (int, 0)
    services.clock.advance(10_000)
    assert services.access.issue(USER, services.session)[1] == 0
