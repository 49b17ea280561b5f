"""Figures of the platform in lines for people: the overview, and time series as bars."""

from collections.abc import Callable, Sequence
from typing import Any

from player.terminal.formats import clock
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.values import UNKNOWN, age_of, bits_of, bytes_of, counted, text_of, when_of

BARS = "▁▂▃▄▅▆▇█"
GAP = " "
Value = int | float | None


def figure_text(name: str, value: Value) -> str:
    """Return a value of a series with its unit, which its name ends with."""
    if value is None:
        return UNKNOWN
    if name.endswith("_ratio"):
        return f"{value * 100:.1f} %"
    units: dict[str, Callable[[Value], str]] = {
        "_bps": bits_of,
        "_bytes": lambda each: bytes_of(None if each is None else int(each)),
        "_ms": lambda each: f"{each:g} ms",
    }
    show = next((show for ending, show in units.items() if name.endswith(ending)), None)
    return show(value) if show else f"{value:,.1f}".removesuffix(".0")


def bars(values: Sequence[Value], width: int) -> str:
    """Return values as bars, `width` cells at most: the greatest of neighbours in one cell, a gap where none is known.

    An unknown value is no bar; a zero is the lowest.
    """
    per_cell = max(1, -(-len(values) // max(1, width)))
    cells = [values[first : first + per_cell] for first in range(0, len(values), per_cell)]
    peaks = [max((each for each in cell if each is not None), default=None) for cell in cells]
    top = max((peak for peak in peaks if peak is not None), default=0)
    return "".join(GAP if peak is None else BARS[_level(peak, top)] for peak in peaks)


def _level(value: int | float, top: int | float) -> int:
    return round(max(0, value) / top * (len(BARS) - 1)) if top > 0 else 0


def overview_lines(overview: dict[str, Any], width: int) -> list[str]:
    """Return the state of the platform as of its last sample."""
    at_ms = overview["at_ms"]
    sampled = f"{age_of(at_ms)} ago" if at_ms is not None else "never"
    streams = f"{text_of(overview['streams_live'])} live, {text_of(overview['streams_delivered'])} reach viewers"
    load = f"{text_of(overview['streams_running'])} of {_counted(overview['capacity'], 'stream')}"
    fields = [
        ("Version", overview["version"]),
        ("Sampled", sampled + ("" if overview["is_current"] else " - TOO OLD: is the schedule running?")),
        ("Streams", streams),
        ("Workers", f"{text_of(overview['workers'])}, running {load}"),
        (
            "Queue",
            f"{_counted(overview['work_queue_depth'], 'hint')}, {_counted(overview['dead_letters'], 'dead letter')}",
        ),
    ]
    if overview["canary_at_ms"] is not None:
        ran = f"{age_of(overview['canary_at_ms'])} ago"
        result = "ok" if overview["canary_is_ok"] else "FAILED: see tollcast-admin canary"
        fields.append(("Canary", f"{result}, {ran}"))
    figures = [(_label(name), figure_text(name, value)) for name, value in overview["figures"].items()]
    return [*field_lines(fields, width), "", *field_lines(figures, width)]


def _counted(number: int | None, noun: str) -> str:
    return f"{text_of(None)} {noun}s" if number is None else counted(number, noun)


def _label(name: str) -> str:
    """Return the name of a series without its unit, which the value has."""
    return name.removesuffix("_ms").removesuffix("_bps").removesuffix("_bytes").replace("_", " ").capitalize()


def series_lines(answer: dict[str, Any], width: int) -> list[str]:
    """Return each series: its last, least and greatest value, and its bars."""
    step = clock(answer["step_s"])
    lines = [f"{when_of(answer['from_ms'])} to {when_of(answer['to_ms'])}, a value each {step}"]
    for name, values in answer["series"].items():
        known = [value for value in values if value is not None]
        last, least, most = (figure_text(name, each) for each in (values[-1] if values else None, *_range(known)))
        lines += ["", f"{name}: last {last}, from {least} to {most}, {len(values) - len(known)} unknown"]
        lines.append(bars(values, width))
    return lines


def _range(known: Sequence[int | float]) -> tuple[Value, Value]:
    return (min(known), max(known)) if known else (None, None)
