"""From the lines of a log to what operators read: what was answered, and how long the kicked were served."""

from pathlib import Path

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS
from chalicelib.domain.streams.stream import DesiredState
from gateway.usage import Follower
from tests.integration.test_schedules import STREAM_ID, advance, house, watching
from tests.unit.gateway.access_lines import RotatedLog, segment

__all__ = ["house"]
TOOK_MS = 437


@pytest.fixture
def log(tmp_path: Path) -> RotatedLog:
    return RotatedLog(tmp_path / "access.log")


def follow(house: Container, log: RotatedLog) -> None:
    """Another process each time, so each begins with the batch of the one before."""
    state_path = log.path.with_name("state.json")
    follower = Follower(usage=house.usage, log_path=log.path, state_path=state_path, now_ms=house.clock.now_ms)
    follower.catch_up()
    follower.close()


def test_who_ended_early_is_told_with_how_long_they_were_served_beyond_it(house: Container, log: RotatedLog) -> None:
    (_, kicked), (user_id, stopped), (_, paused) = (watching(house) for _ in range(3))
    for session in (kicked, stopped, paused):
        log.write(segment(1, session, at_s=house.clock.now_ms() / 1000))
    follow(house, log)
    advance(house, 4_000)
    ended_ms = house.clock.now_ms()
    house.playback.kick(kicked)
    house.playback.stop(user_id, stopped)
    house.streams.set_state(STREAM_ID, DesiredState.PAUSED)
    # The last answer with media stands before a rotation, and a line that is older and a refusal behind it.
    log.write(segment(3, kicked, at_s=(ended_ms + TOOK_MS) / 1000), segment(3, stopped, at_s=(ended_ms + 5_000) / 1000))
    follow(house, log)
    log.rotate()
    refused = {"status": 403, "stream": "", "cache": "MISS"}
    log.write(segment(2, kicked, at_s=(ended_ms + 20) / 1000), segment(4, kicked, at_s=ended_ms / 1000 + 1, **refused))
    for _ in range(2):
        follow(house, log)
    advance(house, RECONCILE_AFTER_MS)
    follow(house, log)
    for _ in range(2):
        house.reconciliation.run()
    rows = house.reconciliation.rows(None, agrees=None, limit=9, cursor=None).items
    assert {row.session_id: row.cut_off_ms for row in rows} == {kicked: TOOK_MS, stopped: None, paused: 0}
    found = {each.end_reason: each for each in house.reconciliation.figures().cut_offs}
    assert set(found) == {EndReason.KICKED, EndReason.STREAM_PAUSED}
    kick = found[EndReason.KICKED]
    assert (kick.sessions, kick.p50_ms, kick.p99_ms, kick.max_ms) == (1, TOOK_MS, TOOK_MS, TOOK_MS)
    gateway = house.monitoring.metrics().gateway
    assert (gateway.media.answers_2xx, gateway.media.answers_4xx, gateway.refusals["403"]) == (6, 1, 1)
    assert (gateway.segments.hits, gateway.segments.hit_ratio, gateway.media.egress_bytes) == (6, 1.0, 7_000)
    [stream] = house.monitoring.streams(ended_ms, limit=9, cursor=None).items
    assert (stream.stream_id, stream.traffic.media) == (STREAM_ID, gateway.media)


def test_a_kick_is_counted_only_once_its_log_is_there(house: Container, log: RotatedLog) -> None:
    _, session = watching(house)
    house.playback.kick(session)
    log.write(segment(1, session, at_s=(house.clock.now_ms() + TOOK_MS) / 1000))
    advance(house, RECONCILE_AFTER_MS)
    house.reconciliation.run()
    assert house.reconciliation.figures().cut_offs == [], "it might seem to have been 0"
    follow(house, log)
    advance(house, RECONCILE_AFTER_MS)
    follow(house, log)
    house.reconciliation.run()
    [found] = house.reconciliation.figures().cut_offs
    assert (found.sessions, found.max_ms) == (1, TOOK_MS)
