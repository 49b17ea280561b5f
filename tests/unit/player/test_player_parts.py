import threading
from types import SimpleNamespace

import click
import httpx
import pytest

from player.auth.paging import ITEMS_MAX, items
from player.context import checked_server
from player.http.client import ProblemError
from player.http.links import web_address
from player.media.credentials import CredentialsProvider, CredentialsTimeoutError, MediaCredentials, SessionOverError
from player.media.route import MediaRoute, at_server
from player.mpv import meter as meter_module
from player.mpv.argv import mpv_argv, start_index
from player.mpv.meter import Meter

FIRST = MediaCredentials("http://gw/play/s-1", "t-1")


@pytest.fixture
def provider():
    provider = CredentialsProvider()
    provider.update(FIRST)
    return provider


def test_the_newest_credentials_are_returned_until_their_token_is_refused(provider, monkeypatch):
    assert provider.get(0.1) == FIRST and provider.is_current("t-1")
    provider.update(MediaCredentials(FIRST.base_url, "t-2"))
    assert provider.get(0.1).token == "t-2" and not provider.is_current("t-1")
    monkeypatch.setattr("player.media.credentials.REFRESH_S_MAX", 0.05)
    with pytest.raises(CredentialsTimeoutError):
        provider.get(1, other_than="t-2")


def test_held_credentials_are_returned_after_the_release_and_closing_ends_every_wait(provider):
    provider.hold()
    with pytest.raises(CredentialsTimeoutError):
        provider.get(0.05)
    threading.Timer(0.05, provider.release).start()
    assert provider.get(5) == FIRST
    provider.hold()
    threading.Timer(0.05, provider.close).start()
    with pytest.raises(SessionOverError):
        provider.get(5)
    assert provider.wait_closed(0)


def test_a_hold_that_begins_while_a_fresh_token_is_awaited_may_last_longer(provider, monkeypatch):
    monkeypatch.setattr("player.media.credentials.REFRESH_S_MAX", 0.2)
    threading.Timer(0.05, provider.hold).start()

    def go_on():
        provider.update(MediaCredentials(FIRST.base_url, "t-2"))
        provider.release()

    threading.Timer(0.5, go_on).start()
    assert provider.get(5, other_than="t-1").token == "t-2"


@pytest.mark.parametrize(
    ("value", "is_web"),
    [
        *(("https://pay.example.org/?user=u_1#to", True), ("http://127.0.0.1:8090/u_1", True)),
        *(
            (value, False)
            for value in (None, 5, "", "pay.example.org", "file:///etc/passwd", "javascript:alert(1)", "smb://host/x")
        ),
        *((value, False) for value in ("https://", "https://a b", "https://a/\x1b[31m", "https://ä.de", "https://[x")),
        *((value, False) for value in ("--new-window", "https://a/\n", "https://a/`x`", "https://a/" + "x" * 2_000)),
    ],
)
def test_only_a_web_address_is_shown_and_opened(value, is_web):
    assert web_address(value) == (value if is_web else None)


def test_the_meter_counts_frames_and_the_time_that_mpv_plays(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(meter_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    meter = Meter()

    def change(name, data, after_s=0.0):
        now[0] += after_s
        meter.take({"event": "property-change", "name": name, "data": data})

    change("core-idle", True)
    change("core-idle", False, 2.0)
    for position in (None, 0.0, 0.04, 0.04, 0.08):
        change("time-pos", position)
    change("core-idle", True, 3.0)
    change("core-idle", False, 10.0)
    now[0] += 1.5
    assert (meter.frames_shown, meter.played_ms, meter.is_buffering) == (3, 4_500, False)
    meter.stop()
    now[0] += 5.0
    assert meter.played_ms == 4_500


def test_server_addresses():
    good = {"http://127.0.0.1:8080": "http://127.0.0.1:8080", " https://tv.example.org/ ": "https://tv.example.org"}
    good |= {"https://example.org/tv/": "https://example.org/tv"}
    assert {address: checked_server(address) for address in good} == good
    bad = "tv.example.org ftp://x http:// http://x:port http://u:p@x http://x?a=b http://x:99999"
    for address in ("", *bad.split()):
        with pytest.raises(click.UsageError, match="no server address"):
            pytest.fail(checked_server(address))


def test_a_problem_has_words_and_its_code():
    problem = ProblemError(429, {"code": "too_many_requests", "detail": "Too many logins."}, retry_after_s=30.0)
    assert problem.format_message() == "Too many logins (too_many_requests). Try again in 30 seconds."
    assert ProblemError(418, {}).format_message() == "HTTP status 418 (http_418)."


def test_an_endless_list_is_cut_off():
    paths = []

    def call(method, path):
        paths.append(path)
        return {"items": [{}] * int(path.split("limit=")[1].split("&")[0]), "next_cursor": "a b"}

    account = SimpleNamespace(call=call)
    assert (len(items(account, "/streams")), paths[1]) == (ITEMS_MAX, "/streams?limit=50&cursor=a+b")
    assert (len(items(account, "/me/ledger", 7)), paths[-1]) == (7, "/me/ledger?limit=7")


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


BEFORE = (
    "--title=${media-title} --demuxer-lavf-o=http_multiple=0 --cache-secs=8 --cache-pause-wait=3 --msg-level=all=warn"
    " --msg-color=no"
)
LAST = "--input-terminal=no --idle=yes --keep-open=no --ytdl=no --http-proxy= --network-timeout=0"
WINDOW = "--force-window=immediate"


@pytest.mark.parametrize(
    ("headless", "extra", "outputs", "following"),
    [
        (True, "", "--vo=null --ao=null", LAST),
        (True, "--volume=60", "--vo=null --ao=null", f"--volume=60 {LAST}"),
        (False, "", "--vo=gpu,wlshm,xv,x11", f"{WINDOW} {LAST}"),
        (False, "--fs --config=yes", "--vo=gpu,wlshm,xv,x11", f"--fs --config=yes {WINDOW} {LAST}"),
    ],
)
def test_mpv_argv(headless, extra, outputs, following):
    title = ["--force-media-title=A title"]
    rest = f"{BEFORE} {following} --input-ipc-client=fd://7".split()
    argv = mpv_argv("A title", headless, 7, extra.split())
    assert argv == ["mpv", "--no-config", *outputs.split(), *title, *rest]


def test_the_servers_start_index_is_used():
    waiting = {-3: ["--cache-pause-wait=3"], -2: ["--cache-pause-initial=yes", "--cache-pause-wait=1.5"]}
    for index, options in (waiting | {-6: waiting[-3]}).items():
        begin = f"live_start_index={index}," if index != -3 else ""
        options = [f"--demuxer-lavf-o={begin}http_multiple=0", "--cache-secs=8", *options]
        argv = mpv_argv("A title", True, 7, ["--volume=60"], index)
        position = argv.index(options[0])
        assert argv[position : position + len(options)] == options
        assert position < argv.index("--volume=60"), "the viewer may override it"


@pytest.mark.parametrize("index", [None, 0, 3, -21, "-2", 1.5, True])
def test_an_invalid_start_index_is_mpvs_default(index):
    assert (start_index(index), start_index(-2)) == (-3, -2)
