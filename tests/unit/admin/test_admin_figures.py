"""What `tollcast-admin` writes of issues, figures, timelines and versions."""

import pytest

from player.terminal.text import cells
from tollcast_admin.display.figures import bars, figure_text, overview_lines, series_lines
from tollcast_admin.display.timeline import timeline_lines
from tollcast_admin.options.versions import changed_meanwhile
from tollcast_admin.streams.issues import issue_lines

AT_MS = 1_780_000_000_000
ISSUE = {
    "issue_id": "1", "type": "keyframes_far_apart", "severity": "warning", "since_ms": AT_MS, "closed_at_ms": None,
    "close_reason": None, "actual": "a keyframe each 10 s", "expected": "at most 2 s", "advice": "Set the interval.",
}  # fmt: skip
OVERVIEW = {
    "version": "0.1.0", "at_ms": AT_MS, "is_current": False, "streams_live": 2, "streams_delivered": 1, "workers": 1,
    "capacity": 4, "streams_running": 2, "work_queue_depth": 0, "dead_letters": None,
    "canary_at_ms": AT_MS, "canary_is_ok": False,
    "figures": {"active_sessions": 12, "egress_bytes": None, "playlist_hit_ratio": 0.5, "manifest_age_ms": 1_500},
}  # fmt: skip
NONE = {"session": None, "payment": None, "login": None, "act": None, "at_ms": AT_MS, "event_id": "1"}


def test_an_issue_says_what_is_measured_expected_and_to_change():
    lines = issue_lines([ISSUE, {**ISSUE, "closed_at_ms": AT_MS, "close_reason": "cleared"}], 80)
    assert lines[0].startswith("WARNING keyframes_far_apart, since 2026-") and all(cells(line) <= 80 for line in lines)
    assert "a keyframe each 10 s; expected: at most 2 s" in lines[1] and "Set the interval." in lines[2]
    assert "(cleared)" in " ".join(lines[3:])


def test_bars_show_peaks_zeros_and_gaps():
    assert bars([0, 7, 14, None, 14], 10) == "▁▅█ █"
    assert bars([0, 0], 10) == "▁▁" and bars([None, None], 10) == "  " and bars([], 10) == ""
    squeezed = bars([0, 0, 0, 9, None, None, None, None, 0, 0, 0, 0], 3)
    assert squeezed == "█ ▁", "a peak is not averaged away, and a gap stays one"
    assert len(bars(list(range(1440)), 80)) <= 80


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("active_sessions", 1_234, "1,234"), ("points_per_minute", 0.25, "0.2"), ("segment_hit_ratio", 0.987, "98.7 %"),
        ("ingest_bitrate_bps", 2_500_000, "2.5 Mbit/s"), ("egress_bytes", 12_300_000, "12.3 MB"),
        ("cut_off_p99_ms", 950, "950 ms"), ("egress_bytes", None, "-"), ("answers_5xx", 0, "0"),
    ],
)  # fmt: skip
def test_figures_have_units(name, value, shown):
    assert figure_text(name, value) == shown


def test_the_overview_says_when_it_is_too_old_and_what_is_unknown():
    text = "\n".join(overview_lines(OVERVIEW, 80))
    assert "Canary:  FAILED: see tollcast-admin canary" in text
    assert "running 2 of 4 streams" in text and "0 hints, - dead letters" in text
    one = "\n".join(overview_lines({**OVERVIEW, "capacity": 1, "work_queue_depth": 1, "dead_letters": 1}, 80))
    assert "running 2 of 1 stream" in one and "1 hint, 1 dead letter" in one
    assert "TOO OLD" in text and "2 live, 1 reach viewers" in text and "- dead letters" in text
    assert "TOO OLD" not in "\n".join(overview_lines({**OVERVIEW, "is_current": True}, 80))
    never = {**dict.fromkeys(OVERVIEW), "version": "0.1.0", "is_current": False, "figures": {}}
    assert "Sampled: never" in "\n".join(overview_lines(never, 80))


def test_series_name_their_range_and_gaps():
    answer = {"step_s": 60, "from_ms": AT_MS, "to_ms": AT_MS, "series": {"active_sessions": [1, None, 3]}}
    text = "\n".join(series_lines(answer, 80))
    assert "active_sessions: last 3, from 1 to 3, 1 unknown" in text
    assert "last -, from - to -" in "\n".join(series_lines({**answer, "series": {"active_sessions": [None]}}, 80))


def test_a_timeline_shows_each_kind_of_event_within_the_width():
    session = {
        "session_id": "abcdefghijklmnopqrstuvwxyz", "stream_id": "films", "active": False, "charged_millipoints": 5_000,
        "watched_ms": 300_000, "end_reason": "kicked",
    }  # fmt: skip
    payment = {
        "payment_id": "gift-1", "millipoints": 2_500, "source": "operator", "note": "welcome",
        "reversed_millipoints": 2_500, "reversed_at_ms": AT_MS,
    }  # fmt: skip
    act = {"by_user_id": "u_x", "by_email": "ann@local", "action": "user.edit", "target": "u_y",
           "before": {"disabled": False}, "after": {"disabled": True}, "details": {}}  # fmt: skip
    events = [
        {**NONE, "kind": "session", "session": session},
        {**NONE, "kind": "session", "session": {**session, "active": True}},
        {**NONE, "kind": "payment", "payment": payment},
        {**NONE, "kind": "login", "login": {"ip": "192.0.2.1", "user_agent": "mpv\x1b[2J"}},
        {**NONE, "kind": "act", "act": act},
    ]
    lines = timeline_lines(events, 80)
    text = " ".join(" ".join(lines).split())
    assert all(cells(line) <= 80 for line in lines) and "\x1b" not in text
    for part in (
        "ended by kicked",
        "films, active",
        "welcome, 2.500 taken back",
        "login from",
        "by ann@local: disabled: no → yes",
    ):
        assert part in text, part


def test_a_change_meanwhile_names_what_differs():
    problem = {
        "code": "changed_meanwhile",
        "version": 8,
        "differing": [{"field": "slate", "seen": False, "current": True}],
    }
    assert changed_meanwhile(problem).splitlines() == [
        "It was changed meanwhile, to version 8. (changed_meanwhile)",
        "slate: no → yes",
    ]
    assert len(changed_meanwhile({**problem, "differing": None}).splitlines()) == 1
