"""What `play` announces: the last lease, low points, a wait for points. On mpv's picture and in the terminal."""

import io
import queue
import time

import pytest
from click.testing import CliRunner

from player.cli import main
from player.errors import LoginExpiredError
from player.mpv.meter import Meter
from player.session.announcements import Announcements
from player.session.charges import Charges
from player.session.controller import PlaybackController
from player.session.playback_api import Funds
from player.session.start import PlayRequest
from player.session.waiting import Waiting
from player.terminal.screen import Screen, Status, status_line
from tests.unit.player.player_fakes import ScriptedServer, lease

EMPTY = Funds(0, 0, None)
SECOND = lease(session_id="s-2", next_beat_in_ms=60_000)


class Picture:
    """An mpv that remembers the texts it showed."""

    def __init__(self):
        self.texts, self.played = [], []

    def play(self, url):
        self.played.append(url)

    def show(self, text, seconds):
        self.texts.append(text)


PAGE = "https://pay.example.org/?user=u_1"


def announced(max_points=None, seconds_left=100):
    """Return notices, with mpv and the terminal that they are shown on, of a play that cost 10 points."""
    picture, out, charges = Picture(), io.StringIO(), Charges()
    charges.add("s-1", 1, 10_000)
    return Announcements(picture, Screen(out), PlayRequest("stream-1", max_points), charges, seconds_left), picture, out


def test_media_that_failed_before_a_wait_end_nothing():
    """The gateway refuses the last requests; after the wait the failures of before no longer count."""
    server, charges, events, picture = ScriptedServer(), Charges(), queue.SimpleQueue(), Picture()
    server.server = "http://127.0.0.1:9"
    request, screen = PlayRequest("stream-1", None, 5.0), Screen(io.StringIO())
    controller = PlaybackController(picture, server, request, lease(), "T", Meter(), charges, events, screen)
    try:
        controller._upstream._note_failure(time.monotonic() - 60)
        controller._take(Waiting(time.monotonic() + 600, EMPTY))
        controller._take({"event": "end-file", "reason": "error"})
        assert controller._check() is None and controller._status().activity == "Waiting for points"
        assert picture.texts[-1].startswith("Your points are used up.") and picture.played == []
        controller._take(SECOND)
        assert controller._upstream.failing_s == 0.0 and controller._check() is None
        assert len(picture.played) == 1, "a stream that mpv gave up is opened again"
    finally:
        controller._relay.close()


def status(balance=0, seconds_left=8.4):
    return Status("Playing", "T", balance, 60_000, seconds_left, 0)


@pytest.mark.parametrize(
    ("balance", "max_points", "said", "has_page"),
    [
        (0, None, "These are the last points: the picture ends in 8 s.", True),
        (0, 10, "These are the last points: the picture ends in 8 s.", True),
        (5_000, 10, "The most that you wanted to spend is reached: the picture ends in 8 s.", False),
        (5_000, 11, "Your daily cap is reached: the picture ends in 8 s.", False),
    ],
)
def test_the_last_lease_is_announced_once(balance, max_points, said, has_page):
    announcements, picture, out = announced(max_points)
    last = lease(final=True, top_up_url=PAGE)
    for _ in range(3):
        announcements.show_money(status(balance), last)
    text = f"{said}\nTop up at {PAGE}" if has_page else said
    assert (picture.texts, out.getvalue()) == ([text], f"{text}\n")
    announcements.show_money(status(20_000, 28), lease())
    announcements.show_money(status(balance), last)
    assert picture.texts == [text, text], "again after a top-up"


def test_a_lease_that_is_free_in_an_outage_is_not_announced():
    announcements, picture, _ = announced()
    announcements.show_money(status(), lease(final=True, outcome="unserved"))
    announcements.show_money(status(), lease(final=True, outcome="early"))
    assert len(picture.texts) == 1


def test_a_warning_carries_the_page():
    announcements, picture, out = announced(seconds_left=61)
    announcements.show_money(status(59_000, 59), lease(top_up_url=PAGE))
    assert picture.texts == [f"0:59 left (59.000 points)\nTop up at {PAGE}"]
    assert out.getvalue() == f"Running out: 0:59 left (59.000 points)\nTop up at {PAGE}\n"


def test_a_wait_is_shown_with_the_time_that_remains(monkeypatch):
    announcements, picture, out = announced()
    now = time.monotonic()
    waiting = Waiting(now + 600, Funds(1_000, 4_000, PAGE))
    for seconds in (0.0, 0.2, 1.0):
        monkeypatch.setattr(time, "monotonic", lambda seconds=seconds: now + seconds)
        announcements.show_wait(waiting, is_paused=False)
    debt = "4.000 points are open from earlier viewing; they are paid first."
    shown = f"Your points are used up.\n{debt}\nTop up at {PAGE}\nWaiting {{}} more. Nothing is bought."
    assert picture.texts == [shown.format("10:00"), shown.format("9:59")]
    said = f"Your points are used up. Waiting 10:00 for more; nothing is bought meanwhile.\n{debt}\nTop up at {PAGE}\n"
    assert out.getvalue() == said
    for debt in (4_000, 6_000, 6_000):
        announcements.show_wait(Waiting(now + 600, Funds(1_000, debt, PAGE)), is_paused=False)
    said += "6.000 points are open from earlier viewing; they are paid first.\n"
    assert out.getvalue() == said
    refused = Waiting(now + 600, Funds(12_000, 4_000, PAGE))
    for _ in range(2):
        announcements.show_wait(refused, is_paused=False)
    there_are = "There are 12.000 points now, 4.000 points of them for earlier viewing."
    said += f"{there_are} The start was refused; it is tried again.\n"
    come = Waiting(now + 600, Funds(12_000, 4_000, PAGE), is_over=True)
    for _ in range(2):
        announcements.show_wait(come, is_paused=True)
    assert out.getvalue() == f"{said}{there_are} End the pause to go on.\n"


def test_without_a_page_the_operator_is_asked():
    announcements, _, out = announced()
    announcements.show_wait(Waiting(time.monotonic() + 5, EMPTY), is_paused=False)
    assert out.getvalue().endswith("\nAsk the operator for points.\n")


def test_the_status_line_counts_down():
    waiting = Status("Waiting for points", "Big Buck Bunny", 0, 60_000, None, 0, 581.4)
    full = "Waiting for points (9:41 more): Big Buck Bunny  0.000 points  60 points/min"
    assert status_line(waiting, 80) == full
    assert status_line(waiting, 60) == "Waiting for points (9:41 more)  0.000 points  60 points/min"
    assert status_line(waiting, 31) == "Waiting for points (9:41 more)"


@pytest.mark.parametrize("given", ["", "0s", "25h", "86401s", "10", "m", "-5m", "1.5h", "10 m", "٥m", "9999999s"])
def test_a_bad_time_to_wait_is_refused_with_its_bounds(given):
    done = CliRunner().invoke(main, ["play", "stream-1", f"--wait={given}"])
    assert done.exit_code == 2 and "from 1s to 24h" in done.output and "--wait=10m" in done.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        *((["--wait"], 600), (["--wait=90s"], 90), (["--wait=24h"], 86_400), (["--wait=1M"], 60), ([], None)),
        (["--", "--wait"], None),
    ],
)
def test_the_time_to_wait_follows_an_equals_sign(monkeypatch, words, expected):
    seen = []

    def play(context, request, options, as_json):
        seen.append((request.stream_id, request.wait_s))
        raise LoginExpiredError

    monkeypatch.setattr("player.commands.play._play", play)
    for order in ([*words[:1], "stream-1", *words[1:]] if words[:1] != ["--"] else ["stream-1", *words],):
        CliRunner().invoke(main, ["play", *order])
    assert seen == [("stream-1", expected)]
    done = CliRunner().invoke(main, ["play", "stream-1", "--wait", "5m"])
    assert done.exit_code == 2 and "--wait=5m" in done.output
