"""Log lines become operators' reports: responses, and how long kicked sessions were still served."""

from pathlib import Path

import pytest

from chalicelib.bootstrap import Container
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.money.reconciliation import RECONCILE_AFTER_MS
from chalicelib.domain.streams.stream import DesiredState
from gateway.usage.follower import UsageFollower
from tests.integration.test_schedules import STREAM_ID, advance, services, watching
from tests.unit.gateway.log_lines import RotatedLog, segment

__all__ = ["services"]
TOOK_MS = 437


@pytest.fixture
def log(tmp_path: Path) -> RotatedLog:
    return RotatedLog(tmp_path / "access.log")


def follow(services: Container, log: RotatedLog) -> None:
    """Catch up with a new follower, which starts from the previous one's batch."""
    follower = UsageFollower(
        usage=services.stores.usage,
        log_path=log.path,
        checkpoint_path=log.path.with_name("state.json"),
        now_ms=services.stores.clock.now_ms,
    )
    follower.catch_up()
    follower.close()


def test_cut_offs_are_reported_with_their_delay(services: Container, log: RotatedLog) -> None:
    (_, kicked), (user_id, stopped), (_, paused) = (watching(services) for _ in range(3))
    for session in (kicked, stopped, paused):
        log.write(segment(1, session, at_s=services.stores.clock.now_ms() / 1000))
    follow(services, log)
    advance(services, 4_000)
    ended_ms = services.stores.clock.now_ms()
    services.kicks.kick(kicked)
    services.playback.stop(user_id, stopped)
    services.streams.set_state(STREAM_ID, DesiredState.PAUSED)
    # The last response with media is logged before a rotation, an older line and a refusal after it.
    log.write(segment(3, kicked, at_s=(ended_ms + TOOK_MS) / 1000), segment(3, stopped, at_s=(ended_ms + 5_000) / 1000))
    follow(services, log)
    log.rotate()
    refused = {"status": 403, "stream": "", "cache": "MISS"}
    log.write(segment(2, kicked, at_s=(ended_ms + 20) / 1000), segment(4, kicked, at_s=ended_ms / 1000 + 1, **refused))
    for _ in range(2):
        follow(services, log)
    advance(services, RECONCILE_AFTER_MS)
    follow(services, log)
    for _ in range(2):
        services.reconciliation.run()
    rows = services.reconciliation.rows(None, agrees=None, limit=9, cursor=None).items
    assert {row.session_id: row.cut_off_ms for row in rows} == {kicked: TOOK_MS, stopped: None, paused: 0}
    found = {each.end_reason: each for each in services.reconciliation.figures().cut_offs}
    assert set(found) == {EndReason.KICKED, EndReason.STREAM_PAUSED}
    kick = found[EndReason.KICKED]
    assert (kick.sessions, kick.p50_ms, kick.p99_ms, kick.max_ms) == (1, TOOK_MS, TOOK_MS, TOOK_MS)
    totals = services.stores.counters.totals()
    assert {name: count for name, count in totals.items() if name.startswith("cut_off")} == {
        "cut_off.kicked.6": 1,
        "cut_off_ms.kicked": TOOK_MS,
        "cut_off.stream_paused.0": 1,
        "cut_off_ms.stream_paused": 0,
    }
    # An adjustment makes a session due again. Its cut-off time is counted already.
    assert services.stores.reconciliations.make_due(kicked, services.stores.clock.now_ms())
    advance(services, 1_000)
    assert services.reconciliation.run().settled == 1
    assert services.stores.counters.totals()["cut_off.kicked.6"] == 1
    gateway = services.monitoring.metrics().gateway
    assert (gateway.media.answers_2xx, gateway.media.answers_4xx, gateway.refusals["403"]) == (6, 1, 1)
    assert (gateway.segments.hits, gateway.segments.hit_ratio, gateway.media.egress_bytes) == (6, 1.0, 7_000)
    [stream] = services.monitoring.streams(ended_ms, limit=9, cursor=None).items
    assert (stream.stream_id, stream.traffic.media) == (STREAM_ID, gateway.media)
