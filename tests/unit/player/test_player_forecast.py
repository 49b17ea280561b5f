"""The forecast of a dry run: which limit comes first, and when."""

import json
from typing import Any

import pytest

from player.session.forecast import Forecast

NOON_S = 1_790_000_000 // 86_400 * 86_400 + 43_200
RENDITIONS = [
    {"name": "720p", "width": 1280, "height": 720, "bitrate_bps": 3_000_000},
    {"name": "480p", "width": 854, "height": 480, "bitrate_bps": 1_000_000},
]


def made(rate: int = 60_000, max_points: int | None = None, state: str = "live", **wallet: Any) -> Forecast:
    stream = {
        "stream_id": "stream-1", "title": "A stream", "rate_millipoints_per_minute": rate, "state": state,
        "renditions": RENDITIONS,
    }  # fmt: skip
    defaults = {
        "balance_millipoints": 100_000, "daily_cap_millipoints": None, "spent_today_millipoints": 0,
        "day_ends_at_ms": (NOON_S + 43_200) * 1000, "sessions": [],
    }  # fmt: skip
    return Forecast(stream, {**defaults, **wallet}, max_points, NOON_S)


@pytest.mark.parametrize(
    ("forecast", "expected"),
    [
        (made(), ("balance_exhausted", 100.0)),
        (made(max_points=30), ("max_points_reached", 30.0)),
        (made(max_points=300), ("balance_exhausted", 100.0)),
        (made(daily_cap_millipoints=80_000, spent_today_millipoints=60_500), ("daily_cap_reached", 19.5)),
        (made(daily_cap_millipoints=80_000, spent_today_millipoints=90_000), ("daily_cap_reached", 0.0)),
        (made(balance_millipoints=0), ("balance_exhausted", 0.0)),
        (made(sessions=[{"rate_millipoints_per_minute": 60_000}]), ("balance_exhausted", 50.0)),
        (made(rate=0), None),
        # the cap lasts until it resets; then the next day's whole cap ends it, or nothing does
        (
            made(rate=1_000, daily_cap_millipoints=1_000_000, balance_millipoints=10**9),
            ("daily_cap_reached", 43_200 + 60_000.0),
        ),
        (
            made(rate=1_000, daily_cap_millipoints=1_440_000, balance_millipoints=6_000_000),
            ("balance_exhausted", 360_000.0),
        ),
    ],
)
def test_the_first_limit_ends_the_session(forecast: Forecast, expected: tuple[str, float] | None) -> None:
    assert forecast.first_end() == expected


def test_the_forecast_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = made(daily_cap_millipoints=500_000, spent_today_millipoints=450_000).lines(80)
    assert lines[:4] == [
        "stream-1: A stream",
        "Cost:    60 points/min, 3600 points/hour",
        "Balance: 100.000 points",
        "Today:   50.000 points left of the daily cap (500)",
    ]
    assert lines[4].startswith("End:     at ") and lines[4].endswith(
        ", in 0:50. Your daily cap is reached. (daily_cap_reached)"
    )
    assert [line.split() for line in lines[6:9]] == [
        ["RENDITION", "SIZE", "MB/HOUR"],
        ["720p", "1280x720", "1350"],
        ["480p", "854x480", "450"],
    ]


def test_a_stream_that_is_not_live_or_free() -> None:
    assert "It is not live now (backoff): a start would be refused." in made(state="backoff").lines(80)
    assert "at once. Your points are used up." in "".join(made(balance_millipoints=0).lines(80))
    beside = made(sessions=[{"rate_millipoints_per_minute": 30_000}]).lines(80)
    assert "Besides: 30 points/min for your other sessions" in beside
    assert "it is free" in "".join(made(rate=0).lines(80))


def test_the_forecast_for_scripts() -> None:
    found = json.loads(json.dumps(made(max_points=30).as_dict()))
    assert found["cut_off"] == {"end_reason": "max_points_reached", "in_seconds": 30, "at_ms": (NOON_S + 30) * 1000}
    assert (found["live"], found["millipoints_per_hour"]) == (True, 3_600_000)
    assert [one["mb_per_hour"] for one in found["renditions"]] == [1350.0, 450.0]
    assert made(rate=0).as_dict()["cut_off"] is None
