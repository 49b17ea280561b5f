"""What a change of a stream's settings does to the ffmpeg that runs it."""

from enum import StrEnum

from chalicelib.domain.streams.runtime import SLATE, Runtime
from chalicelib.domain.streams.stream import DesiredState, Stream

# A change of these needs a new ffmpeg; all others take effect without, but for the end of a slate that is being played.
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
    """What a change of settings does: nothing, something without a restart of ffmpeg, or something by one."""

    NONE = "none"
    HOT = "hot"
    RESTART = "restart"


def needs_new_encoder(seen: Stream, new: Stream) -> bool:
    """Whether what runs under the settings seen cannot go on under the new ones."""
    # A key is nothing to an ffmpeg that does not listen.
    fields = RESTART_FIELDS if new.listening else RESTART_FIELDS - {"ingest_key"}
    return any(getattr(seen, name) != getattr(new, name) for name in fields)


def ends_slate(seen: Stream, new: Stream, runtime: Runtime) -> bool:
    """Whether the slate is what is played now, and is not wanted any more."""
    return seen.slate and not new.slate and runtime.source == SLATE


def applies(seen: Stream, new: Stream) -> Applies:
    """What the change does. `new` is as it would be stored: its generation tells whether ffmpeg is replaced."""
    if new == seen:
        return Applies.NONE
    # What is not to be live has no ffmpeg that could be restarted.
    restarted = new.generation != seen.generation and new.desired_state is DesiredState.LIVE
    return Applies.RESTART if restarted else Applies.HOT
