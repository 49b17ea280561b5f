"""Tracks and repairs in the runtime's row, in a compact form, since every heartbeat reads the row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from chalicelib.adapters.dynamodb import known
from chalicelib.domain.streams.media_health import (
    Repairs,
    SourceTrack,
    TrackKind,
    bounded_tracks,
)
from chalicelib.domain.streams.runtime import Runtime

Part = SourceTrack | Repairs


def health_values(runtime: Runtime) -> dict[str, Any]:
    """Return the attributes of tracks and repairs; None where there is nothing to store."""
    return {
        "tracks": [_compact(track) for track in bounded_tracks(runtime.tracks)] or None,
        "repairs": None if runtime.repairs is None else _compact(runtime.repairs),
    }


def health_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's tracks and repairs. Fields and kinds of a newer version are left out."""
    kinds, repairs = set(TrackKind), row.get("repairs")
    return {
        "tracks": tuple(
            SourceTrack(**{"program": None, **known(SourceTrack, track), "kind": TrackKind(track["kind"])})
            for track in row.get("tracks", ())
            if track["kind"] in kinds
        ),
        "repairs": None if repairs is None else Repairs(**known(Repairs, repairs)),
    }


def _compact(part: Part) -> dict[str, Any]:
    """Return the fields that differ from their default."""
    defaults = {field.name: field.default for field in fields(part) if field.default is not MISSING}
    return {name: value for name, value in vars(part).items() if name not in defaults or value != defaults[name]}
