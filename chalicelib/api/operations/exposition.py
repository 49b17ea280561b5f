"""Metrics as text for Prometheus: version 0.0.4 and OpenMetrics 1.0."""

from collections.abc import Iterable

from chalicelib.domain.operations.metric_catalogue import PREFIX, Family, Kind, Sample

JSON = "application/json"
TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text"
CONTENT_TYPES = {
    TEXT: "text/plain; version=0.0.4; charset=utf-8",
    OPENMETRICS: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
ACCEPT_CHARS_MAX = 1_000


def preferred(accept: str) -> str:
    """Return the media type for a header `Accept`: JSON unless one of the text formats is preferred to it by name.

    A type that is named first wins among equals. Headers in another form, and too long ones, get JSON.
    """
    best, quality = JSON, 0.0
    for part in accept.split(",") if len(accept) <= ACCEPT_CHARS_MAX else ():
        media_type, *parameters = (each.strip().lower() for each in part.split(";"))
        wanted = JSON if media_type in ("*/*", "application/*") else media_type
        if wanted not in (JSON, TEXT, OPENMETRICS):
            continue
        given = _quality(parameters)
        if given > quality:
            best, quality = wanted, given
    return best


def _quality(parameters: Iterable[str]) -> float:
    found = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return min(1.0, max(0.0, float(found)))
    except ValueError:
        return 0.0


def render(families: Iterable[Family], media_type: str) -> str:
    """Return the metrics in one of `CONTENT_TYPES`. A metric without samples is left out."""
    is_open = media_type == OPENMETRICS
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += _header(family, is_open)
            lines += [_line(family, sample) for sample in family.samples]
    if is_open:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def _header(family: Family, is_open: bool) -> list[str]:
    metric = family.metric
    name, kind = PREFIX + metric.name, metric.kind.value
    if not is_open and metric.kind in (Kind.COUNTER, Kind.INFO):
        # The older format has no kind for it, and counters with their whole name.
        [name] = metric.sample_names
        kind = {Kind.COUNTER: "counter", Kind.INFO: "gauge"}[metric.kind]
    unit = [f"# UNIT {name} {metric.unit}"] if is_open and metric.unit else []
    return [f"# HELP {name} {_escaped(metric.help)}", f"# TYPE {name} {kind}", *unit]


def _line(family: Family, sample: Sample) -> str:
    metric = family.metric
    name = f"{PREFIX}{metric.name}{sample.suffix}" if sample.suffix else metric.sample_names[0]
    labels = [*zip(metric.labels, sample.labels, strict=True)]
    if sample.le is not None:
        labels.append(("le", sample.le))
    listed = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels)
    return f"{name}{{{listed}}} {sample.value!r}" if listed else f"{name} {sample.value!r}"


def _escaped(text: str) -> str:
    return str(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
