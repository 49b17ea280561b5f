"""Starts: once for each session id whatever is lost on the way, and never beyond the places of a stream."""

from copy import copy

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import IdempotencyMismatch, StreamFull
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.lease import GRACE_MS, Outcome
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.wallets import Wallet
from chalicelib.ports.money import WalletRefused
from chalicelib.services.money.billing import Beat
from tests.contract.money.billing_services import LEASE_MS, Playback, Services, ended_by


def find(
    services: Services, user_id: str, session_id: str, stream_id: str = "stream-1", budget: int = MILLIPOINTS_MAX
) -> Beat | None:
    return services.session_opener.find(user_id, session_id, stream_id, budget)


class LostAnswer:
    """A store that makes the start and loses the answer, so that the adapter's own repetition is refused."""

    def __init__(self, services: Services) -> None:
        self._wallets = services.stores.wallets

    def __getattr__(self, name: str) -> object:
        return getattr(self._wallets, name)

    def start(self, *args: object) -> None:
        self._wallets.start(*args)  # type: ignore[arg-type]
        raise WalletRefused(None)


def test_a_start_whose_answer_was_lost_is_found_again(services: Services) -> None:
    user_id, session_id = services.viewer(), new_session_id()
    opener, services.session_opener = services.session_opener, copy(services.session_opener)
    services.session_opener._wallets = LostAnswer(services)  # type: ignore[assignment]
    beat = services.open(user_id, session_id=session_id)
    assert (beat.outcome, beat.session.session_id, beat.charged_millipoints) == (Outcome.REPLAY, session_id, 10_000)
    services.session_opener = opener
    assert find(services, user_id, session_id) == beat
    assert services.balance(user_id) == 90_000


def test_an_unknown_start_is_not_found_and_an_ended_one_raises_its_end(services: Services) -> None:
    playback = services.watching()
    assert find(services, playback.user_id, new_session_id()) is None
    playback.end(EndReason.KICKED)
    with ended_by(EndReason.KICKED):
        find(services, playback.user_id, playback.session_id)
    assert playback.balance == 100_000


@pytest.mark.parametrize("changed", [("stream-2", MILLIPOINTS_MAX), ("stream-1", 50_000)])
def test_a_key_is_for_one_start_only(services: Services, changed: tuple[str, int]) -> None:
    playback = services.watching()
    playback.beat(2, after_ms=6_000)
    assert find(services, playback.user_id, playback.session_id) is not None
    with pytest.raises(IdempotencyMismatch):
        find(services, playback.user_id, playback.session_id, *changed)


def end_all(services: Services, *user_ids: str) -> None:
    """Give the places of the stream back, which the other tests of this stage use too."""
    for user_id in user_ids:
        for session_id in services.ledger.wallet(user_id).sessions:
            Playback(services, user_id, session_id).end()


def test_a_stream_takes_no_more_viewers_than_it_may(services: Services) -> None:
    first, second, third = viewers = [services.viewer() for _ in range(3)]
    for user_id in (first, second):
        services.open(user_id, viewers_max=2)
    with pytest.raises(StreamFull) as full:
        services.open(third, viewers_max=2)
    assert full.value.extra["sessions"] == [] and services.balance(third) == 100_000
    end_all(services, first)
    assert services.open(third, viewers_max=2).session.counted
    with pytest.raises(StreamFull) as own:
        services.open(second, viewers_max=2)
    assert len(own.value.extra["sessions"]) == 1
    # An expired lease does not block a new session.
    services.clock.advance(LEASE_MS + GRACE_MS + 1)
    services.open(first, viewers_max=2)
    end_all(services, *viewers)


def test_a_start_is_not_in_its_own_way(services: Services) -> None:
    playback, session_id = services.watching(), new_session_id()
    services.open(playback.user_id, session_id=session_id)
    # The limit is two, and one of them is the session that is requested again.
    again = services.open(playback.user_id, session_id=session_id)
    assert (again.outcome, playback.balance) == (Outcome.REPLAY, 80_000)


class OpensMeanwhile:
    """A ledger that reads the wallet just before the first try of the same start is made."""

    def __init__(self, services: Services, session_id: str) -> None:
        self._services, self._session_id, self._made = services, session_id, False

    def wallet(self, user_id: str) -> Wallet:
        wallet = self._services.ledger.wallet(user_id)
        if not self._made:
            self._made = True
            self._services.open(user_id, session_id=self._session_id)
        return wallet


def test_a_start_that_races_its_first_try_finds_the_session(services: Services) -> None:
    user_id, session_id = services.viewer(), new_session_id()
    racing = copy(services.session_opener)
    racing._ledger = OpensMeanwhile(services, session_id)  # type: ignore[assignment]
    beat = racing.find(user_id, session_id, "stream-1", MILLIPOINTS_MAX)
    assert beat is not None
    assert (beat.outcome, services.balance(user_id)) == (Outcome.REPLAY, 90_000)
