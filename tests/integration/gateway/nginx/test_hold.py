"""The hold: nginx serves a session as much media as it was granted, and an allowance of eight seconds at most."""

import os
import signal
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import ExitStack

import httpx
import pytest

from chalicelib.domain.end_reasons import EndReason
from gateway.nginx.config import render
from tests.fixtures.waiting import eventually
from tests.integration.gateway.nginx.conftest import running
from tests.integration.gateway.nginx.harness import SEGMENT, assert_problem

A, B, C = "a" * 26, "b" * 26, "c" * 26
FLOOD = "limit_req zone=segments_of_user burst=16 delay=8;"
QUARTER = len(SEGMENT) // 4


@pytest.fixture
def change() -> tuple[str, str]:
    """Another change of nginx's configuration: the old text and the new one."""
    return FLOOD, ""


@pytest.fixture
def held(nginx_config, change):
    """A gateway with segments of 2 s and sessions that were granted 4 s, so each may fetch four of them.

    Without the limit of a viewer's segments, which would let a test wait, too.
    """
    text = render(nginx_config)
    for old, new in {(FLOOD, ""), change}:
        old, new = (each.format(port=nginx_config.listen.split(":")[1]) for each in (old, new))
        assert text.count(old) == 1
        text = text.replace(old, new)
    with running(nginx_config, text) as gateway:
        gateway.s3.media_ms, gateway.rule.granted_ms = 2_000, 4_000
        yield gateway


def statuses(gateway, *paths: str, session: str = A, **headers: str) -> list[int]:
    return [gateway.get(path, session, **headers).status_code for path in paths]


def is_held(gateway, path: str, session: str = A) -> bool:
    """Return whether a segment is not served at once. The client leaves, so nginx forgets the request."""
    try:
        url, token = f"{gateway.url}/play/{session}/{path}", {"Authorization": f"Bearer t-{session}"}
        assert httpx.get(url, headers=token, timeout=0.4).status_code == 200
    except httpx.ReadTimeout:
        return True
    return False


def four(gateway, session: str = A) -> None:
    """Fetch all that the session may fetch."""
    assert statuses(gateway, *(f"720p/1-{number}.ts" for number in range(4)), session=session) == [200] * 4


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_each_session_fetches_what_it_was_granted_and_the_allowance(held):
    """A loop of starts gets no more than each of them may fetch."""
    for session in (A, B, C):
        four(held, session)
        assert is_held(held, "720p/1-4.ts", session)
    four(held)
    assert held.get("720p/index.m3u8").status_code == 200, "repetitions count nothing, nor do playlists"
    assert is_held(held, "720p/1-4.ts")


def test_the_allowance_is_eight_seconds_at_most(held):
    held.s3.media_ms, held.rule.granted_ms = 6_000, 10_000
    assert statuses(held, "720p/1-0.ts", "720p/1-1.ts", "720p/1-2.ts") == [200] * 3
    assert is_held(held, "720p/1-3.ts")


def test_a_session_that_stays_ahead_is_refused_with_a_reason(held):
    four(held)
    held.rule.asked.clear()
    began = time.monotonic()
    refused = held.get("720p/1-4.ts")
    assert_problem(refused, 429, "ahead_of_payment")
    assert refused.headers["Retry-After"] == "1" and "heartbeat pays" in refused.json()["detail"]
    assert 5.5 < time.monotonic() - began < 8
    assert 5 <= held.rule.asked[A] <= 7, "one question a second"
    [logged] = [each for each in held.logged() if each["media"] == "720p/1-4.ts"]
    assert (logged["status"], logged["stream"]) == (429, "stream-1")


@pytest.mark.parametrize("known", [False, True])
def test_parallel_requests_do_not_slip_through_and_a_payment_releases_them(held, pool, known):
    """Also of a stream whose segments nginx has not seen yet."""
    if known:
        assert held.get("720p/1-0.ts", C).status_code == 200
    asked = [pool.submit(held.get, f"720p/2-{number}.ts") for number in range(8)]
    done = as_completed(asked, 10)
    assert {next(done).result().status_code for _ in range(4)} == {200}
    assert len(wait(asked, 1).done) == 4
    held.rule.granted_ms = 8_000
    paid = time.monotonic()
    assert {each.result().status_code for each in done} == {200}
    assert time.monotonic() - paid < 1.5, "asked once a second"
    held.rule.asked.clear()
    assert is_held(held, "720p/3-0.ts") and held.rule.asked[A] <= 1


def test_the_newest_payment_is_found_at_once(held):
    """nginx caches decisions for longer than a heartbeat takes to pay."""
    four(held)
    held.rule.granted_ms = 8_000
    began = time.monotonic()
    assert statuses(held, *(f"720p/2-{number}.ts" for number in range(4))) == [200] * 4
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("change", [("listen 127.0.0.1:{port};", "listen 127.0.0.1:{port} http2;")])
def test_payments_are_found_in_http_2(held):
    """Where nginx's Lua module makes no subrequests."""
    token = {"Authorization": f"Bearer t-{A}"}
    with httpx.Client(http1=False, http2=True, headers=token, base_url=f"{held.url}/play/{A}/720p/") as client:
        assert [client.get(f"1-{number}.ts").http_version for number in range(4)] == ["HTTP/2"] * 4
        with pytest.raises(httpx.ReadTimeout):
            client.get("1-4.ts", timeout=0.4)
        held.rule.granted_ms = 8_000
        assert [client.get(f"1-{number}.ts").status_code for number in range(4, 8)] == [200] * 4


def test_renditions_of_a_segment_count_once(held):
    paths = [f"{rendition}/1-{number}.ts" for number in range(4) for rendition in ("720p", "480p")]
    assert statuses(held, *paths) == [200] * 8
    assert is_held(held, "480p/1-4.ts")


def test_ranges_count_in_proportion_and_a_segment_once_at_most(held):
    for part in (0, 1, 2, 3, 2):
        wanted = f"bytes={part * QUARTER}-{(part + 1) * QUARTER - 1}"
        assert held.get("720p/1-0.ts", Range=wanted).content == SEGMENT[part * QUARTER : (part + 1) * QUARTER]
    # 2 s, and three quarters of 2 s.
    assert statuses(held, "720p/1-1.ts", "720p/1-2.ts", "720p/1-3.ts", Range=f"bytes=-{QUARTER}") == [206] * 3
    assert statuses(held, "720p/1-0.ts", "720p/1-4.ts", "720p/1-5.ts") == [200] * 3
    assert is_held(held, "720p/1-6.ts")


def test_several_ranges_get_the_whole_segment(held):
    answer = held.get("720p/1-0.ts", Range="bytes=0-0,2-2")
    assert (answer.status_code, answer.content) == (200, SEGMENT)


def test_a_transfer_that_breaks_off_counts_what_was_sent(held):
    four(held)
    held.rule.granted_ms = 5_500
    url, token = f"{held.url}/play/{A}/720p/long-1.ts", {"Authorization": f"Bearer t-{A}"}
    with held.client.stream("GET", url, headers=token):
        assert is_held(held, "720p/1-4.ts"), "10 s of 11 s: the transfer has reserved the whole"
    # The sockets have buffered a part of it, and that was sent.
    eventually(lambda: not is_held(held, "720p/1-4.ts"), 5, "the rest is free again")
    assert is_held(held, "720p/1-5.ts")


def test_head_and_failures_count_nothing(held):
    assert [held.get(f"720p/1-{number}.ts", method="HEAD").status_code for number in range(4)] == [200] * 4
    held.s3.missing.update(f"/media/streams/stream-1/720p/9-{number}.ts" for number in range(3))
    assert statuses(held, *(f"720p/9-{number}.ts" for number in range(3))) == [404] * 3
    assert held.get("720p/1-0.ts", Range="bytes=99999999-").status_code == 416
    four(held)
    assert is_held(held, "720p/1-4.ts") and held.get("720p/1-4.ts", method="HEAD").status_code == 200


def test_segments_that_are_longer_than_expected_count_in_full(held):
    """As those of a copied source may be."""
    assert held.get("720p/1-0.ts").status_code == 200
    held.s3.media_ms = 10_000
    assert held.get("720p/1-1.ts").status_code == 200
    assert is_held(held, "720p/1-2.ts")
    held.rule.granted_ms = 10_000
    assert is_held(held, "720p/1-2.ts"), "12 s of 18 s, and 10 s are expected"
    held.rule.granted_ms = 20_000
    assert held.get("720p/1-2.ts").status_code == 200


@pytest.fixture
def waiting(held, pool) -> list[Future]:
    """Two requests that the hold lets wait."""
    four(held)
    asked = [pool.submit(held.get, f"720p/2-{number}.ts") for number in range(2)]
    assert not wait(asked, 0.5).done
    return asked


def test_a_kick_ends_the_wait_at_once(held, waiting):
    held.rule.over[A] = EndReason.KICKED
    held.denylist.deny_session(A, EndReason.KICKED)
    assert not wait(waiting, 0.5).not_done
    for each in waiting:
        assert_problem(each.result(), 403, "kicked")


def test_a_pause_ends_the_wait_at_once(held, waiting):
    held.rule.over[A] = EndReason.STREAM_PAUSED
    held.denylist.deny_stream("stream-1", EndReason.STREAM_PAUSED)
    assert not wait(waiting, 0.5).not_done
    assert {each.result().json()["code"] for each in waiting} == {"stream_paused"}


def test_a_lapsed_lease_ends_the_wait_with_its_reason(held, waiting):
    held.rule.over[A] = EndReason.LEASE_EXPIRED
    # Of two, one asks each second.
    assert not wait(waiting, 2.5).not_done
    assert {each.result().json()["code"] for each in waiting} == {"lease_expired"}


def test_an_outage_of_the_endpoints_lets_a_session_wait(held, waiting):
    held.rule.broken = True
    assert not wait(waiting, 1.5).done
    held.rule.broken, held.rule.granted_ms = False, 20_000
    assert {each.result().status_code for each in waiting} == {200}


def test_a_preview_may_fetch_all_of_its_lease(held):
    held.rule.granted_ms, held.s3.media_ms = 600_000, 100_000
    assert statuses(held, *(f"720p/1-{number}.ts" for number in range(6))) == [200] * 6
    assert is_held(held, "720p/1-6.ts")


def test_a_session_that_nginx_does_not_know_has_ten_minutes_at_most(held):
    """As after a restart of nginx."""
    held.rule.granted_ms, held.s3.media_ms = 3_600_000, 100_000
    assert statuses(held, *(f"720p/1-{number}.ts" for number in range(6))) == [200] * 6
    assert is_held(held, "720p/1-6.ts")


@pytest.mark.parametrize("change", [("lua_shared_dict hold 32m;", "lua_shared_dict hold 12k;")])
def test_memory_is_bounded_and_forgets_old_segments_first(held):
    """With the least memory that nginx allows: fewer than fifty segments."""
    held.rule.granted_ms, held.s3.media_ms = 92_000, 1_000
    assert set(statuses(held, *(f"720p/1-{number}.ts" for number in range(98)))) == {200}
    assert statuses(held, "720p/1-97.ts", "720p/1-96.ts") == [200] * 2, "the newest are known"
    assert statuses(held, "720p/1-0.ts", "720p/1-1.ts") == [200] * 2, "these count again"
    assert is_held(held, "720p/1-98.ts"), "the total is known"


def worker_processes(held) -> set[int]:
    pgrep = ["pgrep", "--parent", str(held.process.pid), "--full", "worker process"]
    return {int(pid) for pid in subprocess.run(pgrep, capture_output=True, check=False, text=True).stdout.split()}


def await_others(held, than: set[int]) -> None:
    """Wait until two other worker processes run, and no others."""
    eventually(lambda: len(worker_processes(held) - than) == len(worker_processes(held)) == 2, 10, "other processes")


def test_a_killed_worker_process_takes_its_reservations_along(held):
    """Nothing else would return them, and its sessions would be held for good. A reload forgets nothing."""
    token = {"Authorization": f"Bearer t-{A}"}
    for again in range(2):
        with ExitStack() as open_transfers:
            for number in range(4):
                url = f"{held.url}/play/{A}/720p/long-{again}{number}.ts"
                open_transfers.enter_context(held.client.stream("GET", url, headers=token))
            assert is_held(held, f"720p/{again}-9.ts")
            before = worker_processes(held)
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            await_others(held, before)
            eventually(lambda now=again: not is_held(held, f"720p/{now}-9.ts"), 5, "the reservations are gone")
    four(held, C)
    before = worker_processes(held)
    held.process.send_signal(signal.SIGHUP)
    await_others(held, before)
    assert is_held(held, "720p/1-4.ts", C)
