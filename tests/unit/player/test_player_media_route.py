import httpx
import pytest

from player.media.route import MediaRoute, at_server

NAMED = "http://h/play/s"
PLAYLIST = httpx.Response(200, headers={"Content-Type": "application/vnd.apple.mpegurl"})


@pytest.mark.parametrize(
    ("base_url", "server", "expected"),
    [
        ("http://127.0.0.1:8080/play/s", "http://10.0.0.1:90", "http://10.0.0.1:90/play/s"),
        ("http://127.0.0.1:8080/play/s", "https://tv.example.org", "https://tv.example.org/play/s"),
        ("http://127.0.0.1:8080/play/s", "http://h/tv", "http://h/tv/play/s"),
        ("http://127.0.0.1:8080/tv/play/s", "http://h/tv", "http://h/tv/play/s"),
        *(("http://h/play/s", "http://h", None), ("https://media.example.org/play/s", "http://tv.example.org", None)),
    ],
)
def test_the_viewers_server_has_the_same_path_and_never_drops_encryption(base_url, server, expected):
    assert at_server(base_url, server) == expected


def test_an_expired_token_does_not_hide_a_fault():
    route = MediaRoute("http://h")
    for response in (PLAYLIST, httpx.Response(503), httpx.Response(401)):
        route.note_answer(NAMED, NAMED, response)
    assert route.trouble == "http://h (it answers 503)"
    route.note_answer(NAMED, NAMED, PLAYLIST)
    assert route.trouble == ""
