"""Where viewers buy points: in their wallet, in answers of start and heartbeat, and in every 402 that they get."""

from collections.abc import Iterator

import pytest

from chalicelib import config
from tests.http.conftest import Api, assert_problem
from tests.http.money.test_playback import wait_for_beat


@pytest.fixture(scope="module")
def module_settings(module_settings: config.Settings) -> Iterator[config.Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOLLCAST_TOP_UP_URL", "https://pay.example.org/{user_id}?from=tollcast")
        yield config.load()


def test_the_wallet_and_every_402_say_where_to_buy_points(api: Api) -> None:
    user, stream_id = api.user(millipoints=4_000), api.live_stream()
    headers, url = api.login(user), f"https://pay.example.org/{user.user_id}?from=tollcast"
    assert api.get(headers, "/me/wallet")["top_up_url"] == url
    # An operator sees the address of the wallet's user.
    assert api.get(api.admin(), f"/wallets/{user.user_id}")["top_up_url"] == url
    started = api.start(headers, stream_id).json()
    session_id = started["session_id"]
    assert started["top_up_url"] == api.beat(headers, session_id, 1).json()["top_up_url"] == url
    wait_for_beat(api, session_id, headers)
    for refused in (api.beat(headers, session_id, 2), api.start(headers, stream_id)):
        assert assert_problem(refused, 402, "balance_exhausted")["top_up_url"] == url
    api.credit(user, 20_000)
    session_id = api.start(headers, stream_id, max_points=1).json()["session_id"]
    wait_for_beat(api, session_id, headers)
    assert assert_problem(api.beat(headers, session_id, 2), 402, "max_points_reached")["top_up_url"] == url
    # No other problem has it.
    assert "top_up_url" not in api.start(headers, "no-such-stream").json()
