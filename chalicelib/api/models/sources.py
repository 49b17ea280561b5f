"""Sources of a stream."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from chalicelib.api.models.common import Request
from chalicelib.api.models.forms import MediaPath
from chalicelib.domain.streams.ingest import (
    AUDIO_TRACK_MAX,
    BACKUPS_MAX,
    PROGRAM_MAX,
    SRT_PORT_MAX,
    SRT_PORT_MIN,
    Ingest,
    IngestMode,
    ListenProtocol,
    mode_fault,
)

SOURCE_CHARS_MAX = 1_000
SourceAddress = Annotated[str, Field(min_length=1, max_length=SOURCE_CHARS_MAX)]
Program = Annotated[
    int,
    Field(
        ge=1,
        le=PROGRAM_MAX,
        description="The number of an MPEG-TS programme, not for `test` and not for RTMP. Null: the worker chooses.",
    ),
]
AudioTrack = Annotated[
    int,
    Field(
        ge=1,
        le=AUDIO_TRACK_MAX,
        description="The audio track, counted from 1 in the source's order, not for `test`. Null: the worker chooses.",
    ),
]


class IngestModel(Request):
    """A source: `pull` has a url, `listen` a protocol (`srt` also a port), `file` a path in the media directory."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    mode: IngestMode
    url: SourceAddress | None = None
    path: MediaPath | None = None
    protocol: ListenProtocol | None = None
    port: Annotated[int, Field(ge=SRT_PORT_MIN, le=SRT_PORT_MAX)] | None = None
    program: Program | None = None
    audio_track: AudioTrack | None = None

    @model_validator(mode="after")
    def _fits_mode(self) -> IngestModel:
        if fault := mode_fault(self.source()):
            raise ValueError(fault)
        return self

    def source(self) -> Ingest:
        """Return the source as the domain's `Ingest`."""
        return Ingest(**{name: getattr(self, name) for name in type(self).model_fields})


Backups = Annotated[list[IngestModel], Field(max_length=BACKUPS_MAX)]
