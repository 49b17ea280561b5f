"""The rate limit of segments: a viewer pays by time, and must not fetch the whole window in a second and stop."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.streams.pacing import Pace

A, B, C = "a" * 26, "b" * 26, "c" * 26


def test_segments_come_as_fast_as_they_play(gateway):
    """A new session brings no new burst, so repeated starts fetch no faster."""
    began = time.monotonic()
    for number in range(8):
        for session in (A, C):
            assert gateway.get(f"720p/9-{number}.ts", session).status_code == 200
    # Eight at once, then two a second.
    assert time.monotonic() - began > 2.5
    began = time.monotonic()
    for number in range(8):
        assert gateway.get(f"720p/9-{number}.ts", B).status_code == 200
        assert gateway.get("720p/index.m3u8", A).status_code == 200
    assert time.monotonic() - began < 2.5, "another viewer, and playlists, do not wait"


@pytest.mark.parametrize(("pace", "at_once", "each_s"), [(Pace.USUAL, 7, 60 / 38), (Pace.LONG, 4, 4.0)])
def test_the_rate_of_long_segments_is_lower(gateway, pace, at_once, each_s):
    """A lease must not fetch several times the media that it pays for."""
    gateway.rule.pace = pace
    began = time.monotonic()
    for number in range(at_once):
        assert gateway.get(f"720p/9-{number}.ts", A).status_code == 200
    assert time.monotonic() - began < each_s
    assert gateway.get("720p/9-99.ts", A).status_code == 200
    assert time.monotonic() - began > 0.9 * each_s
    assert gateway.get("720p/9-0.ts", C).status_code == 200, "another session has its own"
    assert time.monotonic() - began < 2 * each_s


def test_a_flood_of_segments_is_refused_with_a_problem_document(gateway):
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda number: gateway.get(f"720p/8-{number}.ts", A), range(60)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json()["code"] == "too_many_requests"
    assert refused[0].headers["Retry-After"] == "1"
    assert {answer.status_code for answer in answers} == {200, 429}
