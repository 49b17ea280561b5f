"""Time series in the table `series`.

A row is ten minutes, or a day of hours, of the platform (series_id `platform:<step>`) or of a
stream (`stream:<stream_id>:<step>`), from the slot `first_slot`. Rows of ten minutes stay below 1 KB, so that a sample
costs one write unit; rows of an hour would cost three on average. `g<n>` and `c<n>` are the gauges and counts
of its n-th slot: values in the order of their columns, with commas in between and nothing where a value is unknown.

Two more rows have the series_id `sampler`: the state in slot 0, the overview in slot 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.adapters.dynamodb import all_rows, call, from_row, get_item, known, parameters, write_if
from chalicelib.domain.operations.series import (
    COUNTS,
    GAUGES,
    HOURS_KEPT_MS,
    MINUTES_KEPT_MS,
    Overview,
    Sample,
    SamplerState,
    SeriesName,
    Slot,
    Step,
    Value,
)

SLOTS = {Step.MINUTE: 10, Step.HOUR: 24}
KEPT_MS = {Step.MINUTE: MINUTES_KEPT_MS, Step.HOUR: HOURS_KEPT_MS}
COLUMNS = {"g": GAUGES, "c": COUNTS}
SAMPLER = "sampler"
STATE, OVERVIEW = 0, 1


class DynamoSeries:
    """The port `SeriesStore`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "series"

    def add(self, scope: str, step: Step, slots: Mapping[int, Sample]) -> None:
        by_row: defaultdict[int, dict[str, str]] = defaultdict(dict)
        for slot, sample in slots.items():
            place = slot % SLOTS[step]
            for kind, part in (("g", sample.gauges), ("c", sample.counts)):
                if part is not None:
                    by_row[slot - place][f"{kind}{place}"] = _joined(part.get(column) for column in COLUMNS[kind])
        for first, texts in by_row.items():
            # Its last slot is kept as long as promised.
            expires_at_s = ((first + SLOTS[step]) * step.ms + KEPT_MS[step]) // 1000
            values = {**texts, "expires_at_s": expires_at_s}
            call(
                "update_item",
                self._table,
                key={"series_id": _series_id(scope, step), "first_slot": first},
                update="SET " + ", ".join(f"{name} = :{name}" for name in values),
                values={f":{name}": value for name, value in values.items()},
            )

    def read(self, scope: str, step: Step, first: int, last: int) -> Mapping[int, Slot]:
        request = parameters(
            self._table,
            KeyConditionExpression="series_id = :id AND first_slot BETWEEN :first AND :last",
            values={":id": _series_id(scope, step), ":first": first - first % SLOTS[step], ":last": last},
        )
        rows = all_rows("query", request, (last - first) // SLOTS[step] + 2)
        found = ((slot, columns) for row in rows for slot, columns in _slots(from_row(row), SLOTS[step]))
        return {slot: columns for slot, columns in found if first <= slot <= last}

    def state(self) -> SamplerState | None:
        row = get_item(self._table, _key(STATE))
        if row is None:
            return None
        counted = {
            stream_id: {int(hour): _numbers(text) for hour, text in hours.items()}
            for stream_id, hours in row["counted"].items()
        }
        return SamplerState(
            **{**known(SamplerState, row), "open_minutes": tuple(row["open_minutes"]), "counted": counted}
        )

    def put_state(self, state: SamplerState, seen: SamplerState | None) -> bool:
        counted = {
            stream_id: {str(hour): _joined(counts) for hour, counts in hours.items()}
            for stream_id, hours in state.counted.items()
        }
        since = "attribute_not_exists(at_ms)" if seen is None else "at_ms = :at AND rolled_hour = :rolled"
        return write_if(
            "put_item",
            self._table,
            item={**vars(state), "counted": counted, **_key(STATE)},
            condition=since,
            values={} if seen is None else {":at": seen.at_ms, ":rolled": seen.rolled_hour},
        )

    def overview(self) -> Overview | None:
        row = get_item(self._table, _key(OVERVIEW))
        if row is None:
            return None
        figures = {name: row["figures"].get(name) for name in SeriesName}
        optional = dict.fromkeys(("work_queue_depth", "dead_letters", "canary_at_ms", "canary_is_ok"))
        return Overview(**{**optional, **known(Overview, row), "figures": figures})

    def put_overview(self, overview: Overview) -> None:
        figures = {str(name): value for name, value in overview.figures.items()}
        call("put_item", self._table, item={**vars(overview), "figures": figures, **_key(OVERVIEW)})


def _key(slot: int) -> dict[str, Any]:
    return {"series_id": SAMPLER, "first_slot": slot}


def _series_id(scope: str, step: Step) -> str:
    return f"stream:{scope}:{step.value}" if scope else f"platform:{step.value}"


def _slots(row: Mapping[str, Any], count: int) -> Iterable[tuple[int, Slot]]:
    for place in range(count):
        columns: dict[str, Value] = {}
        for kind, names in COLUMNS.items():
            if f"{kind}{place}" in row:
                # Rows of an older version have fewer columns.
                columns |= zip(names, map(_value, row[f"{kind}{place}"].split(",")), strict=False)
        if columns:
            yield row["first_slot"] + place, columns


def _joined(values: Iterable[Value]) -> str:
    return ",".join("" if value is None else repr(value) for value in values).rstrip(",")


def _value(text: str) -> Value:
    if not text:
        return None
    return float(text) if "." in text or "e" in text else int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))
