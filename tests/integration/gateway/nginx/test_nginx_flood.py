"""The rate limit of one viewer's segments of a stream, over all sessions."""

from concurrent.futures import ThreadPoolExecutor, as_completed

A, B, C = "a" * 26, "b" * 26, "c" * 26


def took_s(gateway, session: str) -> float:
    """Return the time from the start of a session's first request to the end of its last, by nginx's own clock."""
    logged = [each for each in gateway.logged() if each["session"] in session.split()]
    return max(each["at_s"] for each in logged) - min(each["at_s"] - each["request_s"] for each in logged)


def test_segments_of_a_viewer_are_limited(gateway):
    """A new session brings no new burst, so repeated starts fetch no faster."""
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(gateway.get, f"720p/9-{number}.ts", session) for number in range(8) for session in (A, C)]
        done = as_completed(asked)
        # Eight at once, then two a second.
        assert {next(done).result().status_code for _ in range(9)} == {200}
        for number in range(8):
            assert gateway.get(f"720p/9-{number}.ts", B).status_code == 200
            assert gateway.get("720p/index.m3u8", A).status_code == 200
        assert not all(each.done() for each in asked), "another viewer, and playlists, do not wait"
        assert {each.result().status_code for each in asked} == {200}
    assert took_s(gateway, f"{A} {C}") > 2.5


def test_a_flood_of_segments_is_refused_with_a_problem_document(gateway):
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda number: gateway.get(f"720p/8-{number}.ts", A), range(60)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and {answer.status_code for answer in answers} == {200, 429}
    assert refused[0].json()["code"] == "too_many_requests"
    assert refused[0].headers["Retry-After"] == "1"
