"""The effect of changed settings on a running encoder."""

from enum import StrEnum

from chalicelib.domain.streams.runtime import SLATE, Runtime
from chalicelib.domain.streams.stream import DesiredState, Stream

# Changes of these need a new encoder. So does removing a slate that is being played.
RESTART_FIELDS = frozenset(
    {
        "ingest",
        "backups",
        "frozen_after_s",
        "ingest_key",
        "abr_profile",
        "custom_renditions",
        "fps_max",
        "segment_seconds",
    }
)


class Applies(StrEnum):
    """The effect of a change: nothing, a change without restart, or a restart of the encoder."""

    NONE = "none"
    HOT = "hot"
    RESTART = "restart"


def needs_new_encoder(seen: Stream, new: Stream) -> bool:
    """Return whether an encoder with the old settings cannot continue with the new ones."""
    # The key matters only to a listening source.
    fields = RESTART_FIELDS if new.listening else RESTART_FIELDS - {"ingest_key"}
    return any(getattr(seen, name) != getattr(new, name) for name in fields)


def ends_slate(seen: Stream, new: Stream, runtime: Runtime) -> bool:
    """Return whether the slate is being played and was removed."""
    return seen.slate and not new.slate and runtime.source == SLATE


def applies(seen: Stream, new: Stream) -> Applies:
    """Return the effect of a change. The generation of the stored `new` says whether the encoder restarts."""
    if new == seen:
        return Applies.NONE
    # A stream that is not live has no encoder to restart.

    restarted = new.generation != seen.generation and new.desired_state is DesiredState.LIVE
    return Applies.RESTART if restarted else Applies.HOT
