"""The values of a stream's fields that an edit may see as changed, without secrets."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.streams.ingest import Ingest
from chalicelib.domain.streams.stream import Stream
from chalicelib.domain.versions import HIDDEN, Expected, check_version, with_change

# What follows from other fields or never changes.
DERIVED = frozenset({"stream_id", "version", "changes", "created_at_ms", "desired_since_ms"})
FIELDS = tuple(name for name in Stream.__dataclass_fields__ if name not in DERIVED)


def next_version(seen: Stream, new: Stream) -> Stream:
    """Return the changed stream as the version after `seen`, with what it replaced."""
    before = {name: shown_value(seen, name) for name in FIELDS if getattr(seen, name) != getattr(new, name)}
    return replace(new, version=seen.version + 1, changes=with_change(seen.changes, seen.version, before))


def check_stream_version(stream: Stream, expected: Expected) -> None:
    """Raise `ChangedMeanwhile` unless the stream has an expected version."""
    check_version(
        f"The stream {stream.stream_id}",
        expected,
        stream.version,
        stream.changes,
        lambda name: shown_value(stream, name),
    )


def shown_value(stream: Stream, name: str) -> Any:
    """Return the value of a field as operators may see it in a problem, a list as a list of maps."""
    value = getattr(stream, name)
    match name:
        case "ingest_key":
            return HIDDEN
        case "ingest":
            return _source(value)
        case "backups":
            return [_source(each) for each in value]
        case "custom_renditions":
            return [_without_none(vars(each)) for each in value]
    return value


def _source(source: Ingest) -> dict[str, Any]:
    """Return a source; of its URL, user info, path and query may be secret."""
    values = _without_none(vars(source))
    if source.url is not None:
        parts = urlsplit(source.url)
        values["url"] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{HIDDEN}"
    return values


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
