"""Followers of real gateways' logs: what a session was served is exact, over restarts, losses and several gateways."""

import json

import pytest

from chalicelib.domain.money.measuring import Measurement, measurement
from chalicelib.domain.operations.fetches import recent_fetches, watching_sessions
from chalicelib.stores import Stores
from gateway.nginx.config import SLOW_S, render
from gateway.usage.checkpoint import Checkpoint
from gateway.usage.follower import UsageFollower
from infra.local.processes.health import accepts_connections
from tests.fixtures.waiting import eventually
from tests.integration.gateway.nginx.conftest import running
from tests.integration.gateway.nginx.harness import LONG_SEGMENT, MEDIA_MS, SEGMENT
from tests.integration.gateway.nginx.test_nginx_usage import connected, now_ms

A = "a" * 26
HOUR_MS = 3_600_000


@pytest.fixture
def usage(settings):
    return Stores(settings).usage


@pytest.fixture
def follow(usage, tmp_path):
    """Return a function that starts a follower of a gateway; a second one continues at its checkpoint."""
    running = {}

    def start(gateway, *, later_ms=0, **options):
        if gateway.url in running:
            running[gateway.url].close()
        running[gateway.url] = UsageFollower(
            usage=usage,
            log_path=gateway.log_path,
            checkpoint_path=tmp_path / f"{gateway.url[-5:]}.json",
            now_ms=lambda: now_ms() + later_ms,
            **options,
        )
        return running[gateway.url]

    yield start
    for each in running.values():
        each.close()


def fetch(gateway, *numbers, **headers):
    """Fetch segments and wait until they are logged."""
    before = gateway.log_path.read_text().count("\n")
    for number in numbers:
        assert gateway.get(f"720p/1-1-{number:06d}.ts", A, **headers).status_code in (200, 206)
    expected = before + len(numbers)
    eventually(lambda: gateway.log_path.read_text().count("\n") >= expected, 10, "the responses are logged")


def served(usage):
    found = usage.get(A)
    return (found.media_ms, found.segments) if found else (0, 0)


def test_a_session_that_two_gateways_served_counts_each_segment_once(gateway, second_gateway, usage, follow):
    first, second = follow(gateway), follow(second_gateway)
    fetch(gateway, 1, 2, 3)
    first.catch_up()
    assert served(usage) == (3 * MEDIA_MS, 3)
    fetch(second_gateway, 2, 3, 4)
    fetch(second_gateway, 1, Range="bytes=0-99")
    second.catch_up()
    assert served(usage) == (4 * MEDIA_MS, 4)
    # The connection to the first breaks within a segment, and the second serves the whole one.
    fetch(gateway, 5, Range="bytes=0-8191")
    first.catch_up()
    half_ms = MEDIA_MS * 8_192 // len(SEGMENT)
    assert served(usage) == (4 * MEDIA_MS + half_ms, 5)
    fetch(second_gateway, 5)
    second.catch_up()
    assert served(usage) == (5 * MEDIA_MS, 5)
    found = usage.get(A)
    assert found and found.requests == 9 and found.media_bytes > 6 * len(SEGMENT), "all that was sent"
    # The same as what was fetched lately, by gateway.
    lately = list(usage.of_sessions([A])[A].fetches.values())
    assert [each.rendition for each in lately] == ["720p", "720p"]
    assert sum(each.bytes_since(0) for each in lately) == found.media_bytes
    assert max(each.segment_at_ms for each in lately) == found.last_at_ms
    row = recent_fetches(usage.of_sessions([A])[A].fetches, usage.followers(), now_ms() - HOUR_MS, now_ms())
    assert (row.is_fetching, row.bytes_last_minute, row.rendition) == (True, found.media_bytes, "720p")
    assert watching_sessions(usage.followers(), now_ms()) == 2, "a session that two gateways serve counts twice"


def test_a_follower_that_is_killed_at_any_step_counts_each_byte_once(gateway, usage, follow, monkeypatch):
    class Killed(BaseException):
        pass

    fetch(gateway, 1, Range="bytes=0-4095")
    follow(gateway).catch_up()
    for number, (owner, name) in enumerate([(Checkpoint, "write"), (type(usage), "add"), (type(usage), "mark")], 2):
        fetch(gateway, number)
        fetch(gateway, 1, Range=f"bytes=0-{4_096 * number - 1}")
        call = getattr(owner, name)

        def killed(*arguments, call=call, **options):
            call(*arguments, **options)
            raise Killed

        with monkeypatch.context() as patch, pytest.raises(Killed):
            follower = follow(gateway)
            patch.setattr(owner, name, killed)
            follower.catch_up()
        follow(gateway).catch_up()
        assert served(usage) == (MEDIA_MS * min(4, number) // 4 + (number - 1) * MEDIA_MS, number)


def test_the_log_of_a_session_is_complete_or_known_to_be_lost(gateway, usage, follow):
    started_ms = now_ms()
    fetch(gateway, 1)
    follow(gateway).catch_up()
    ended_ms = now_ms()

    def found(start_ms=started_ms, end_ms=ended_ms):
        return measurement(start_ms, end_ms, usage.followers(), now_ms() + 120_000)

    assert found() is Measurement.PENDING
    follow(gateway, later_ms=70_000).catch_up()
    assert found() is Measurement.MEASURED
    # The log is rotated away with a line that was not read.
    text = gateway.log_path.read_text()
    gateway.log_path.unlink()
    entry = json.loads(text.splitlines()[-1]) | {"at_s": now_ms() / 1000 + 90}
    gateway.log_path.write_text(json.dumps(entry, separators=(",", ":")) + "\n")
    follow(gateway, later_ms=200_000).catch_up()
    assert found() is Measurement.NEVER
    assert found(now_ms() + 100_000, now_ms() + 110_000) is Measurement.MEASURED


def test_a_follower_leaves_only_after_its_gateway_has_stopped(gateway, nginx_config, usage, follow):
    def gateway_runs():
        return accepts_connections(nginx_config.origin_socket)

    follower = follow(gateway, gateway_runs=gateway_runs)
    fetch(gateway, 1)
    follower.catch_up()
    assert gateway_runs() and not follower.leave()
    assert len(usage.followers()) == 1
    gateway.stop()
    follower.catch_up()
    assert not gateway_runs() and follower.leave()
    assert usage.followers() == {} and served(usage) == (MEDIA_MS, 1)
    # Other gateways' sessions do not wait for it.
    usage.mark("other", now_ms() + HOUR_MS)
    assert measurement(now_ms() - 9, now_ms(), usage.followers(), now_ms()) is Measurement.MEASURED


@pytest.fixture
def impatient(nginx_config):
    """A gateway to which a transfer of 0.2 s is slow."""
    text = render(nginx_config)
    assert text.count(f".with({SLOW_S})") == 1
    with running(nginx_config, text.replace(f".with({SLOW_S})", ".with(0.2)")) as gateway:
        yield gateway


def test_a_segment_that_a_client_keeps_open_counts_before_its_session_is_settled(impatient, usage, follow):
    """Without that, a client could keep the last byte of each segment until the settlement, and watch unpaid."""
    follower = follow(impatient)
    with connected(impatient) as connection:
        eventually(lambda: '"open":true' in impatient.log_path.read_text(), 10, "the slow transfer is logged")
        follower.catch_up()
        found = usage.get(A)
        assert found and (found.media_ms, found.segments) == (MEDIA_MS, 1)
        assert 0 <= now_ms() - found.last_at_ms < 60_000 and found.first_at_ms == found.last_at_ms
        while connection.recv(1 << 20):
            pass
    fetch(impatient, 1)
    eventually(lambda: impatient.log_path.read_text().count('"complete":true') == 2, 10, "both are logged at their end")
    follower.catch_up()
    found = usage.get(A)
    assert found and (found.media_ms, found.segments, found.requests) == (2 * MEDIA_MS, 2, 2)
    assert found.media_bytes > len(LONG_SEGMENT)
    lines = [line for line in impatient.stop().splitlines() if line.startswith('{"at"')]
    assert len(lines) == 3 and all(json.loads(line) for line in lines), "one line for a slow transfer, none for others"
