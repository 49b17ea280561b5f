"""The addresses of a session's media."""

import pytest

from player.media.route import at_server


@pytest.mark.parametrize(
    ("base_url", "server", "expected"),
    [
        ("http://127.0.0.1:8080/play/s", "http://10.0.0.1:90", "http://10.0.0.1:90/play/s"),
        ("http://127.0.0.1:8080/play/s", "https://tv.example.org", "https://tv.example.org/play/s"),
        ("http://127.0.0.1:8080/play/s", "http://h/tv", "http://h/tv/play/s"),
        ("http://127.0.0.1:8080/tv/play/s", "http://h/tv", "http://h/tv/play/s"),
        ("http://h/play/s", "http://h", None),
        ("https://media.example.org/play/s", "http://tv.example.org", None),
    ],
)
def test_the_viewers_server_has_the_same_path_and_never_drops_encryption(
    base_url: str, server: str, expected: str | None
) -> None:
    assert at_server(base_url, server) == expected
