"""Rows of the table of inputs: how an input is made, how it reaches the platform, and the expected result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Feed(StrEnum):
    """The way of an input to the platform."""

    # A file in the media directory, looped by the platform.
    FILE = "file"
    # A transport stream, sent in real time and byte for byte, so that its time stamps arrive as they are.
    SRT = "srt"
    # ffmpeg -re -c copy, in turns without end.
    RTMP = "rtmp"
    # The platform fetches from an HTTPS server.
    PULL = "pull"


class Serving(StrEnum):
    """The HTTPS server's treatment of the media playlists of a directory."""

    # They are files like all others.
    AS_IS = "as_is"
    # A live window: a segment is named once its time has come.
    SLIDING = "sliding"
    # As `SLIDING`, and at its end the same numbers and segments come again.
    REPEATING = "repeating"


@dataclass(frozen=True, kw_only=True)
class Expect:
    """The expected result. Defaults are those of a clean source: sound and moving picture without a break.

    `refused`: words, of which the platform's reason has one; nothing is published. `may_refuse`: the same, where
    playing is right as well. Seconds in `silent` are those of the input's own clock, which is in its picture.
    """

    refused: tuple[str, ...] = ()
    may_refuse: tuple[str, ...] = ()
    # Sound: the spans without tone, the longest pause otherwise, and the tone, which says which track it is.
    silent: tuple[tuple[float, float], ...] = ()
    silence_s_max: float = 0.3
    sound: bool = True
    tone_hz: int = 440
    # Flash and beep must not be further apart; None: time stamps do not say where the sound belongs.
    skew_s_max: float | None = 0.1
    # How much longer or shorter than its segment the sound may be. Copied segments are cut where they can be.
    sound_s_off_max: float = 0.15
    # Picture: the longest time without movement, the displayed shape, the badge that says which picture it is.
    still_s_max: float | None = 1.0
    shape: tuple[int, int] | None = (16, 9)
    upright: bool = True
    badge: str = "white"
    progressive: bool = False
    vivid: bool = False
    has_clock: bool = True
    pictures_per_s: tuple[float, float] | None = None
    # How often a second the bar of `recipes.moving_bar` moves on. Back it never moves.
    moves_per_s: tuple[float, float] | None = None
    # Seconds of the input's clock of which at most this many may be missing, and how often the clock may go back.
    missing_s_max: int | None = None
    replays_max: int | None = None
    discontinuities_max: int = 0
    discontinuities_min: int = 0
    # Media that a viewer must get at least. 0 lets a row say that little comes, as of a playlist that is stuck.
    seconds_min: float = 12.0
    # How much of what is published is worth paying for, where that is less than all of it.
    content_s: float | None = None
    # Published sizes in their order, for a copied source whose format changes.
    sizes: tuple[str, ...] = ()
    # The least and the most that the run counts of a repair. Only the quick form of the zoo knows all of a run.
    repairs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    # What the viewer may pay for at most beyond what was worth seeing.
    paid_over_s_max: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Input:
    """A row. `make` are commands for an empty directory, a line each; the last writes `entry`.

    A line begins with `ffmpeg`, or with the name of a function of `edits`. `turn_s` is how long `entry` lasts.
    """

    name: str
    about: str
    make: tuple[str, ...]
    entry: str
    feed: Feed
    expect: Expect = field(default_factory=Expect)
    profile: str = "ladder"
    turn_s: float = 20.0
    # How often a sender sends it within one connection.
    turns: int = 1
    # How much media a viewer watches, and how long the stream may take to be live.
    watch_s: float = 14.0
    live_s_max: float = 20.0
    serving: Serving = Serving.AS_IS
    # How long the HTTPS server holds each answer back.
    answer_delay_s: float = 0.0
    # The name that a looped file has in the media directory, where that is the point.
    file_name: str = ""
    # The rendition of the ladder, and more fields of the ingest and of the stream.
    size: tuple[int, int] = (320, 180)
    ingest: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
