"""Time series and the overview."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import Form, StreamId
from chalicelib.api.models.monitoring import AT_MS_MAX
from chalicelib.domain.operations.series import SeriesName, Step

_NAME = f"(?:{'|'.join(SeriesName)})"
_OTHERS = len(SeriesName) - 1
Names = Annotated[
    str,
    Form(
        re.compile(rf"{_NAME}(?:,{_NAME}){{0,{_OTHERS}}}"),
        f"must have 1 to {_OTHERS + 1} names with commas in between; allowed: {', '.join(SeriesName)}",
    ),
]


class SeriesQuery(Request):
    """Which series (by default all), of which stream (by default of the platform), and when.

    `step` is the seconds between two values: 60, for at most 24 hours, or 3600, for at most 400 days. Without `from_ms`
    it is the last day of minutes or the last 30 days of hours before `to_ms`, which is by default now.
    """

    names: Names | None = None
    stream_id: StreamId | None = None
    from_ms: int | None = Field(default=None, ge=0, le=AT_MS_MAX)
    to_ms: int | None = Field(default=None, ge=1, le=AT_MS_MAX)
    step: Literal["60", "3600"] = "60"

    @property
    def seconds(self) -> Step:
        """The step as a number."""
        return Step(int(self.step))

    @property
    def name_list(self) -> list[SeriesName] | None:
        """The names, None for all."""
        return None if self.names is None else [SeriesName(name) for name in self.names.split(",")]


class SeriesAnswer(Answer):
    """Series by name. The n-th value is of the time from `from_ms + n * step_s * 1000` on, for `step_s` seconds.

    `null` is unknown: nothing was sampled or measured then. Counts (`egress_bytes`, `answers_…`, `…_failures`,
    `…_errors`) are sums over the step, rates and levels are means, `manifest_age_ms` is the greatest. In hours, sums
    are over the known minutes, and `sampled_minutes` is how many minutes of each hour were sampled.
    """

    stream_id: str | None
    step_s: int
    from_ms: int
    to_ms: int
    series: dict[SeriesName, list[int | float | None]]
    sampled_minutes: list[int | None] | None


class OverviewAnswer(Answer):
    """The platform as of the last sample, which is taken once a minute. `null` is unknown.

    `is_current` is false if the last sample is older than 150 s: then the schedule or the store fails. `figures` are
    the newest known values of all series. `streams_live` should be live, `streams_delivered` of them reach viewers.
    Present `workers` run `streams_running` streams of the `capacity` they have.
    `canary_at_ms` is when the canary last ran, and `canary_is_ok` whether it worked.
    """

    version: str
    at_ms: int | None
    is_current: bool
    figures: dict[SeriesName, int | float | None]
    streams_live: int | None
    streams_delivered: int | None
    workers: int | None
    capacity: int | None
    streams_running: int | None
    work_queue_depth: int | None
    dead_letters: int | None
    canary_at_ms: int | None
    canary_is_ok: bool | None
