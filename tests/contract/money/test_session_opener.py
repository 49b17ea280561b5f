"""Starts: once for each session id whatever is lost on the way, and never beyond the places of a stream."""

from copy import copy

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import IdempotencyMismatch, SessionOver, StreamFull
from chalicelib.domain.ids import SESSION_ID, new_session_id, session_id_of
from chalicelib.domain.money.lease import GRACE_MS, Outcome
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.wallets import Wallet
from chalicelib.ports.money import WalletRefused
from tests.contract.conftest import MoneyStores
from tests.contract.money.billing_services import LEASE_MS, Services, build_services


@pytest.fixture
def services(money: MoneyStores) -> Services:
    return build_services(money)


class LostAnswer:
    """A store that makes the start and loses the answer, so that the adapter's own repetition is refused."""

    def __init__(self, services: Services) -> None:
        self._wallets = services.money.wallets

    def __getattr__(self, name: str) -> object:
        return getattr(self._wallets, name)

    def start(self, *args: object) -> None:
        self._wallets.start(*args)  # type: ignore[arg-type]
        raise WalletRefused(None)


def test_a_start_whose_answer_was_lost_is_found_again(services: Services) -> None:
    user_id, session_id = services.viewer(100_000), new_session_id()
    lossy = copy(services.session_opener)
    lossy._wallets = LostAnswer(services)  # type: ignore[assignment]
    opener, services.session_opener = services.session_opener, lossy
    beat = services.open(user_id, session_id=session_id)
    assert (beat.outcome, beat.session.session_id, beat.charged_millipoints) == (Outcome.REPLAY, session_id, 10_000)
    again = opener.find(user_id, session_id, "stream-1", MILLIPOINTS_MAX)
    assert again == beat
    assert services.balance(user_id) == 90_000


def test_an_unknown_start_is_not_found_and_an_ended_one_raises_its_end(services: Services) -> None:
    user_id, session_id = services.viewer(100_000), new_session_id()
    assert services.session_opener.find(user_id, session_id, "stream-1", MILLIPOINTS_MAX) is None
    services.open(user_id, session_id=session_id)
    services.billing.end(user_id, session_id, EndReason.KICKED)
    with pytest.raises(SessionOver) as over:
        services.session_opener.find(user_id, session_id, "stream-1", MILLIPOINTS_MAX)
    assert over.value.reason is EndReason.KICKED
    assert services.balance(user_id) == 100_000


@pytest.mark.parametrize("changed", [("stream-2", MILLIPOINTS_MAX), ("stream-1", 50_000)])
def test_a_key_is_for_one_start_only(services: Services, changed: tuple[str, int]) -> None:
    user_id, session_id = services.viewer(100_000), new_session_id()
    services.open(user_id, session_id=session_id)
    services.clock.advance(6_000)
    services.billing.heartbeat(user_id, session_id, 2)
    assert services.session_opener.find(user_id, session_id, "stream-1", MILLIPOINTS_MAX) is not None
    with pytest.raises(IdempotencyMismatch):
        services.session_opener.find(user_id, session_id, *changed)


def test_keys_of_two_users_never_meet() -> None:
    one, other = session_id_of("u_one", "k" * 16), session_id_of("u_two", "k" * 16)
    assert one != other
    assert one == session_id_of("u_one", "k" * 16)
    assert SESSION_ID.fullmatch(one)


def test_a_stream_takes_no_more_viewers_than_it_may(services: Services) -> None:
    stream_viewers = [services.viewer(100_000) for _ in range(3)]
    # Each test has a separate stream, since places are counted by stream.
    first = services.open(stream_viewers[0], viewers_max=2)
    services.open(stream_viewers[1], viewers_max=2)
    with pytest.raises(StreamFull) as full:
        services.open(stream_viewers[2], viewers_max=2)
    assert full.value.extra["sessions"] == []
    assert services.balance(stream_viewers[2]) == 100_000
    services.billing.end(stream_viewers[0], first.session.session_id, EndReason.VIEWER_STOPPED)
    assert services.open(stream_viewers[2], viewers_max=2).session.counted
    with pytest.raises(StreamFull) as own:
        services.open(stream_viewers[1], viewers_max=2)
    assert len(own.value.extra["sessions"]) == 1
    # An expired lease does not block a new session.
    services.clock.advance(LEASE_MS + GRACE_MS + 1)
    services.open(stream_viewers[0], viewers_max=2)
    for user_id in stream_viewers:
        for session_id in services.ledger.wallet(user_id).sessions:
            services.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)


def test_a_session_that_was_refused_a_place_has_left_no_trace(services: Services) -> None:
    user_id, session_id = services.viewer(100_000), new_session_id()
    taken = services.open(services.viewer(100_000), viewers_max=1)
    with pytest.raises(StreamFull):
        services.open(user_id, session_id=session_id, viewers_max=1)
    wallet = services.ledger.wallet(user_id)
    assert (dict(wallet.sessions), services.money.sessions.get(session_id)) == ({}, None)
    record = services.money.sessions.get(taken.session.session_id)
    assert record is not None
    services.billing.end(record.user_id, record.session_id, EndReason.VIEWER_STOPPED)


def test_a_start_is_not_in_its_own_way(services: Services) -> None:
    user_id, session_id = services.viewer(100_000), new_session_id()
    services.open(user_id)
    services.open(user_id, session_id=session_id)
    # The limit is two, and one of them is the session that is requested again.
    again = services.open(user_id, session_id=session_id)
    assert (again.outcome, services.balance(user_id)) == (Outcome.REPLAY, 80_000)


class OpensMeanwhile:
    """A ledger that reads the wallet just before the first try of the same start is made."""

    def __init__(self, services: Services, session_id: str) -> None:
        self._house, self._session_id, self._made = services, session_id, False

    def wallet(self, user_id: str) -> Wallet:
        wallet = self._house.ledger.wallet(user_id)
        if not self._made:
            self._made = True
            self._house.open(user_id, session_id=self._session_id)
        return wallet


def test_a_start_that_races_its_first_try_finds_the_session(services: Services) -> None:
    user_id, session_id = services.viewer(100_000), new_session_id()
    racing = copy(services.session_opener)
    racing._ledger = OpensMeanwhile(services, session_id)  # type: ignore[assignment]
    beat = racing.find(user_id, session_id, "stream-1", MILLIPOINTS_MAX)
    assert beat is not None
    assert (beat.outcome, services.balance(user_id)) == (Outcome.REPLAY, 90_000)
