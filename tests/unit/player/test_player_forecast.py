import json

import pytest

from player.session.forecast import Forecast

NOON_S = 1_790_000_000 // 86_400 * 86_400 + 43_200
RENDITIONS = [
    {"name": "720p", "width": 1280, "height": 720, "bitrate_bps": 3_000_000},
    {"name": "480p", "width": 854, "height": 480, "bitrate_bps": 1_000_000},
]
OTHER = {"rate_millipoints_per_minute": 60_000}


def made(rate=60_000, max_points=None, state="live", balance=100_000, cap=None, spent=0, others=()):
    stream = {"stream_id": "stream-1", "title": "A stream", "rate_millipoints_per_minute": rate, "state": state}
    wallet = {"balance_millipoints": balance, "daily_cap_millipoints": cap, "spent_today_millipoints": spent}
    wallet |= {"day_ends_at_ms": (NOON_S + 43_200) * 1000, "sessions": list(others)}
    return Forecast({**stream, "renditions": RENDITIONS}, wallet, max_points, NOON_S)


@pytest.mark.parametrize(
    ("forecast", "expected"),
    [
        *((made(), ("balance_exhausted", 100.0)), (made(max_points=30), ("max_points_reached", 30.0))),
        *((made(max_points=300), ("balance_exhausted", 100.0)), (made(balance=0), ("balance_exhausted", 0.0))),
        (made(cap=80_000, spent=60_500), ("daily_cap_reached", 19.5)),
        (made(cap=80_000, spent=90_000), ("daily_cap_reached", 0.0)),
        *((made(others=[OTHER]), ("balance_exhausted", 50.0)), (made(rate=0), None)),
        # The cap lasts until it resets; then the next day's whole cap ends it, or nothing does.
        (made(rate=1_000, cap=1_000_000, balance=10**9), ("daily_cap_reached", 43_200 + 60_000.0)),
        (made(rate=1_000, cap=1_440_000, balance=6_000_000), ("balance_exhausted", 360_000.0)),
    ],
)
def test_the_first_limit_ends_the_session(forecast, expected):
    assert forecast.first_end() == expected


def test_the_forecast_for_people():
    lines = made(cap=500_000, spent=450_000).lines(80)
    assert lines[:2] == ["stream-1: A stream", "Cost:    60 points/min, 3600 points/hour"]
    assert lines[2:4] == ["Balance: 100.000 points", "Today:   50.000 points left of the daily cap (500)"]
    assert lines[4].startswith("End:     at ")
    assert lines[4].endswith(", in 0:50. Your daily cap is reached. (daily_cap_reached)")
    table = "RENDITION SIZE MB/HOUR 720p 1280x720 1350 480p 854x480 450"
    assert [len(line.split()) for line in lines[6:9]] == [3, 3, 3] and " ".join(lines[6:9]).split() == table.split()


def test_the_forecast_says_what_is_paid_and_what_is_open():
    lines = made().lines(80)
    assert lines[-3].startswith("When you stop, the unused time") and "fetched ahead (up to 8 s) is paid" in lines[-3]
    assert "fetched ahead" not in "".join(made(rate=0).lines(80)), "it is free"
    indebted = made()
    indebted.wallet["debt_millipoints"] = 40_000
    assert indebted.first_end() == ("balance_exhausted", 60.0)
    assert "Open:    40.000 points from earlier viewing; your next start pays them first" in indebted.lines(80)
    assert indebted.as_dict()["debt_millipoints"] == 40_000
    free = made(rate=0)
    free.wallet["debt_millipoints"] = 40_000
    assert "Open:" not in "".join(free.lines(80)), "the start of a free stream pays no debt"
    indebted.wallet["debt_millipoints"] = 400_000
    assert indebted.first_end() == ("balance_exhausted", 0.0)


def test_a_stream_that_is_not_live_or_free():
    assert "It is not live now (backoff): a start would be refused." in made(state="backoff").lines(80)
    assert "at once. Your points are used up." in "".join(made(balance=0).lines(80))
    besides = made(others=[{"rate_millipoints_per_minute": 30_000}]).lines(80)
    assert "Besides: 30 points/min for your other sessions" in besides
    assert "it is free" in "".join(made(rate=0).lines(80))


def test_the_forecast_for_scripts():
    found = json.loads(json.dumps(made(max_points=30).as_dict()))
    assert found["cut_off"] == {"end_reason": "max_points_reached", "in_seconds": 30, "at_ms": (NOON_S + 30) * 1000}
    assert (found["live"], found["millipoints_per_hour"]) == (True, 3_600_000)
    assert [one["mb_per_hour"] for one in found["renditions"]] == [1350.0, 450.0]
    assert made(rate=0).as_dict()["cut_off"] is None
