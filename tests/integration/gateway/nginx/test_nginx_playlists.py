"""Playlists from nginx: fresh, not cacheable by clients, and compressed."""

import time

import pytest

from tests.integration.gateway.nginx.harness import LONG_PLAYLIST, PLAYLIST

SAME_STREAM = "c" * 26


@pytest.mark.parametrize("path", ["index.m3u8", "720p/index.m3u8"])
def test_clients_may_not_cache_playlists(gateway, path):
    answer = gateway.get(path)
    assert (answer.status_code, answer.content) == (200, PLAYLIST)
    assert answer.headers["Cache-Control"] == "no-store"
    for _ in range(5):
        gateway.get(path, SAME_STREAM)
    assert gateway.hits("stream-1/" + path) <= 2


def test_a_playlist_is_cached_to_the_end_of_a_second(gateway):
    ages_s: dict[str, list[float]] = {}
    while len(ages_s) < 4:
        asked_at_s = time.time()
        fetched_at_s = gateway.get("clock/index.m3u8").text.split(":")[-1]
        ages_s.setdefault(fetched_at_s, []).append(asked_at_s - float(fetched_at_s))
        time.sleep(0.02)  # The rate of a few players, since nginx refuses higher rates.
    # With nginx's "1s" a playlist would get two seconds old.
    assert max(max(ages) for ages in ages_s.values()) < 1.2
    first, *_, last = map(float, ages_s)
    assert last - first > 1.9, "each is cached to the end of its second"


def test_long_playlists_are_compressed_and_segments_are_not(gateway):
    playlist = gateway.get("long/index.m3u8", **{"Accept-Encoding": "gzip"})
    assert playlist.headers["Content-Encoding"] == "gzip" and playlist.content == LONG_PLAYLIST
    assert "Content-Encoding" not in gateway.get("long/index.m3u8", **{"Accept-Encoding": "identity"}).headers
    segment = gateway.get("720p/1.ts", **{"Accept-Encoding": "gzip"})
    assert segment.status_code == 200 and "Content-Encoding" not in segment.headers


@pytest.mark.parametrize("path", ["720p/index.m3u8", "long/index.m3u8"])
def test_an_unchanged_playlist_is_not_sent_again(gateway, path):
    compressed = {"Accept-Encoding": "gzip"}
    etag = gateway.get(path, **compressed).headers["ETag"]
    again = gateway.get(path, **compressed, **{"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["Cache-Control"]) == (304, b"", "no-store")
    assert gateway.get(path, **compressed, **{"If-None-Match": '"another"'}).status_code == 200
    assert gateway.get(path, token="wrong", **{"If-None-Match": etag}).status_code == 401
