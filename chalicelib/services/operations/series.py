"""Time series and the overview, for operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.errors import Invalid, NotFound
from chalicelib.domain.operations.series import OF_STREAMS, Overview, SeriesName, Step, Value, value_of
from chalicelib.ports.common import Clock
from chalicelib.ports.operations.series import SeriesStore
from chalicelib.ports.streams.streams import Streams

DAY_MS = 24 * Step.HOUR.ms
# The longest range of a request, and the range of one that names none.
RANGE_MS_MAX = {Step.MINUTE: DAY_MS, Step.HOUR: 400 * DAY_MS}
RANGE_MS_DEFAULT = {Step.MINUTE: DAY_MS, Step.HOUR: 30 * DAY_MS}
# The schedule runs once a minute, and a sample may be lost.
CURRENT_MS = 150_000


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Series by name. The n-th value is that of the step from `from_ms + n * step` on; the last one ends at `to_ms`.

    `sampled_minutes` is how many minutes of each hour had a sample; None with minutes.
    """

    from_ms: int
    to_ms: int
    series: Mapping[SeriesName, Sequence[Value]]
    sampled_minutes: Sequence[Value] | None


class SeriesService:
    """Reads what the sampler wrote."""

    def __init__(self, series: SeriesStore, streams: Streams, clock: Clock) -> None:
        self._series = series
        self._streams = streams
        self._clock = clock

    def columns(
        self,
        names: Sequence[SeriesName] | None,
        *,
        stream_id: str | None,
        from_ms: int | None,
        to_ms: int | None,
        step: Step,
    ) -> Columns:
        """Return series (None: all) of a stream, or (None) of the platform, up to the last full step: one query.

        Raise `Invalid` for names that streams do not have and for a wrong range, `NotFound` for an unknown stream.
        """
        allowed = OF_STREAMS if stream_id else tuple(SeriesName)
        names = allowed if names is None else names
        if others := [name for name in names if name not in allowed]:
            raise Invalid.field("names", f"{', '.join(others)}: only without stream_id; allowed: {', '.join(allowed)}")
        first, end = self._range(from_ms, to_ms, step)
        if stream_id and self._streams.get(stream_id) is None:
            raise NotFound("There is no stream with this id.")
        slots = self._series.read(stream_id or "", step, first, end - 1)
        found = [slots.get(slot, {}) for slot in range(first, end)]
        return Columns(
            from_ms=first * step.ms,
            to_ms=end * step.ms,
            series={name: [value_of(name, slot) for slot in found] for name in dict.fromkeys(names)},
            sampled_minutes=[slot.get("sampled_minutes") for slot in found] if step is Step.HOUR else None,
        )

    def _range(self, from_ms: int | None, to_ms: int | None, step: Step) -> tuple[int, int]:
        """Return the first slot, and the one after the last. The current slot is not over, so it is left out."""
        now_ms = self._clock.now_ms()
        end = min(now_ms // step.ms, -(-(now_ms if to_ms is None else to_ms) // step.ms))
        first = max(0, end - RANGE_MS_DEFAULT[step] // step.ms) if from_ms is None else from_ms // step.ms
        if first >= end:
            raise Invalid.field("from_ms", "must be before to_ms, and before the current step")
        if (end - first) * step.ms > RANGE_MS_MAX[step]:
            hours = RANGE_MS_MAX[step] // Step.HOUR.ms
            raise Invalid.field("from_ms", f"with step {step.value}, the range may have at most {hours} hours")
        return first, end

    def overview(self) -> tuple[Overview | None, bool]:
        """Return the overview of the last sample, and whether that is recent: one read."""
        overview = self._series.overview()
        is_current = overview is not None and self._clock.now_ms() - overview.at_ms <= CURRENT_MS
        return overview, is_current
