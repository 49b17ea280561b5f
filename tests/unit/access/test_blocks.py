"""A block against a start at the same time, and the end of a block, by a clock that is set."""

from typing import Any

import pytest

from chalicelib.domain.access.blocks import block_id_of, until_words, user_and_stream_of
from chalicelib.domain.access.clients import Client
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import Blocked, BlockNotFound
from chalicelib.domain.ids import BLOCK_ID
from chalicelib.domain.operations.audit import Actor
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.stream import DesiredState, Stream
from tests.fakes.simple import Switch
from tests.fakes.stores import memory_services

CLIENT = Client(ip="192.0.2.1", user_agent="mpv")


@pytest.fixture
def services() -> Any:
    services: Any = memory_services(TOLLCAST_START_LIMIT="", TOLLCAST_SESSIONS_PER_USER_MAX="9")
    services.delivery = Switch()
    for stream_id in ("news", "music"):
        ingest = Ingest(mode=IngestMode.TEST)
        services.streams.create(Stream(stream_id=stream_id, title=stream_id, ingest=ingest))
        services.streams.set_state(stream_id, DesiredState.LIVE)
    return services


@pytest.fixture
def user_id(services: Any) -> str:
    user = services.accounts.create("a@local", "a password", Role.VIEWER)
    payment = {"millipoints": 100_000, "payment_id": "p-1", "note": "", "by_user_id": "u_x"}
    services.ledger.credit(user_id=user.user_id, **payment)
    return str(user.user_id)


def start(services: Any, user_id: str, stream_id: str = "news") -> str:
    opened = services.playback.start(user_id, stream_id, client=CLIENT, replace=False, max_points=None)
    return str(opened.session.session_id)


def end_of(services: Any, session_id: str) -> EndReason | None:
    record = services.stores.sessions.get(session_id)
    reason: EndReason | None = record.end_reason
    return reason


def test_a_block_ends_at_its_millisecond(services: Any, user_id: str) -> None:
    block = services.kicks.kick(start(services, user_id), block_minutes=1).block
    services.stores.clock.at_ms = block.until_ms - 1
    with pytest.raises(Blocked) as refused:
        start(services, user_id, "music")
    assert refused.value.extra == {"until_ms": block.until_ms, "stream_id": None, "message": None}
    services.stores.clock.at_ms = block.until_ms
    assert services.blocks.listing(user_id=None, stream_id=None, limit=5, cursor=None).items == []
    assert start(services, user_id, "music")
    with pytest.raises(BlockNotFound):
        services.blocks.lift(block.block_id)


def test_a_block_ends_all_sessions_that_it_refuses(services: Any, user_id: str) -> None:
    kicked, other, music = start(services, user_id), start(services, user_id), start(services, user_id, "music")
    preview = services.playback.preview("news", client=CLIENT, by=Actor(user_id=user_id)).session
    services.kicks.kick(kicked, message="Bye.", block_minutes=5, block_stream=True)
    ends = [end_of(services, each) for each in (kicked, other, music, preview.session_id)]
    assert ends == [EndReason.KICKED, EndReason.KICKED, None, None]
    assert services.stores.sessions.get(other).message == "Bye."
    assert start(services, user_id, "music")
    with pytest.raises(Blocked):
        start(services, user_id)
    assert services.playback.preview("news", client=CLIENT, by=Actor(user_id=user_id))


def test_a_start_that_a_block_overtakes_is_taken_back(services: Any, user_id: str) -> None:
    first = start(services, user_id)
    balance = services.stores.wallets.get(user_id).balance_millipoints
    wallets, begin = services.stores.wallets, services.stores.wallets.start

    def kick_meanwhile(*arguments: Any) -> None:
        # The kick is done before this session is in the wallet.
        services.kicks.kick(first, block_minutes=5)
        begin(*arguments)

    wallets.start = kick_meanwhile
    with pytest.raises(Blocked):
        start(services, user_id)
    assert dict(wallets.get(user_id).sessions) == {}
    assert wallets.get(user_id).balance_millipoints >= balance, "nothing was charged for it"
    assert {record.end_reason for record in services.stores.rows.records.values()} == {EndReason.KICKED}


def test_a_blocked_start_writes_nothing(services: Any, user_id: str) -> None:
    services.kicks.kick(start(services, user_id), block_minutes=5)
    version, records = services.stores.wallets.get(user_id).version, len(services.stores.rows.records)
    with pytest.raises(Blocked):
        start(services, user_id)
    assert (services.stores.wallets.get(user_id).version, len(services.stores.rows.records)) == (version, records)


def test_a_kick_of_a_session_that_has_ended_still_blocks(services: Any, user_id: str) -> None:
    session_id = start(services, user_id)
    services.playback.stop(user_id, session_id)
    kicked = services.kicks.kick(session_id, block_minutes=5)
    assert kicked.record.end_reason is EndReason.VIEWER_STOPPED and kicked.block is not None
    with pytest.raises(Blocked):
        start(services, user_id)


def test_ids_and_words() -> None:
    for stream_id in (None, "news"):
        block_id = block_id_of("u_" + "a" * 20, stream_id)
        assert BLOCK_ID.fullmatch(block_id) and user_and_stream_of(block_id) == ("u_" + "a" * 20, stream_id)
    assert until_words(1_800_000_000_001) == "2027-01-15 08:01 UTC"
