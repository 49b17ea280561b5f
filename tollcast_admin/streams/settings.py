"""The settings of a stream as options of `create` and `edit`."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from player.terminal.formats import short_amount
from tollcast_admin.options.values import Points
from tollcast_admin.streams.sources import Source, source_text

Command = TypeVar("Command", bound=Callable[..., Any])
RENDITION = re.compile(r"([A-Za-z0-9_-]{1,32}):([0-9]{1,5})x([0-9]{1,5}):([0-9.]{1,9}[kM]?):([0-9.]{1,9}[kM]?)")
FACTORS = {"k": 1_000, "M": 1_000_000}
PROFILES = ("source", "sd", "hd", "full", "custom")
# Options, by the API's field that they set. The values are those of click's parameters.
FIELDS = {
    "title": "title",
    "ingest": "source",
    "backups": "backups",
    "slate": "slate",
    "frozen_after_s": "frozen_after_s",
    "abr_profile": "profile",
    "custom_renditions": "renditions",
    "fps_max": "fps_max",
    "latency": "latency",
    "segment_seconds": "segment_seconds",
    "window_minutes": "window_minutes",
    "rate_millipoints_per_minute": "rate",
    "lease_ms": "lease_s",
    "viewers_max": "viewers_max",
    "session_binding": "session_binding",
}


class Rendition(click.ParamType[dict[str, Any]]):
    """A rendition of a ladder of one's own, as the API's fields."""

    name = "rendition"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return the fields of a rendition. Raise click.BadParameter."""
        if isinstance(value, dict):
            return value
        match = RENDITION.fullmatch(str(value))
        bits = [_bits(match[4]), _bits(match[5])] if match else [None]
        if match is None or None in bits:
            self.fail(
                f"{value!r} is no rendition. Write NAME:WIDTHxHEIGHT:VIDEO:AUDIO: 720p:1280x720:2.5M:128k", param, ctx
            )
        sizes = {"width": int(match[2]), "height": int(match[3])}
        return {"name": match[1], **sizes, "video_bps": bits[0], "audio_bps": bits[1]}


def source_options(is_required: bool) -> Callable[[Command], Command]:
    """Return the decorator that adds `--source`, required or not."""
    return click.option(
        "--source",
        type=Source(),
        required=is_required,
        help="Where the picture comes from, see above. `-` reads a line of standard input.",
    )


SETTINGS = (
    click.option(
        "--backup",
        "backups",
        type=Source(),
        multiple=True,
        help="A source that takes over while those before it fail. Up to 3; `-` reads a line of standard input.",
    ),
    click.option("--slate/--no-slate", default=None, help="A still picture, free of charge, while no source works."),
    click.option(
        "--frozen-after",
        "frozen_after_s",
        type=int,
        metavar="SECONDS",
        help="A picture that is frozen, with silence, for so long is a failed source: 10 to 3600. 0: off.",
    ),
    click.option("--profile", type=click.Choice(PROFILES), help="The ladder of renditions."),
    click.option(
        "--rendition",
        "renditions",
        type=Rendition(),
        multiple=True,
        help="A rendition of the profile custom, best first: 720p:1280x720:2.5M:128k",
    ),
    click.option("--fps-max", type=int, metavar="FPS", help="Pictures a second of the profile custom, 10 to 60."),
    click.option("--latency", type=click.Choice(("normal", "low")), help="low: segments of 1 s."),
    click.option("--segment-seconds", type=int, metavar="SECONDS", help="The length of segments, 1 to 10."),
    click.option("--window-minutes", type=int, metavar="MINUTES", help="How far viewers can go back."),
    click.option("--rate", type=Points(), help="Points a minute, with up to three decimals. 0: free."),
    click.option("--lease", "lease_s", type=int, metavar="SECONDS", help="How long one payment lasts, 5 to 60."),
    click.option("--viewers-max", type=int, metavar="NUMBER", help="The most viewers at once. 0: no limit."),
    click.option(
        "--session-binding",
        type=click.Choice(("off", "warn", "enforce")),
        help="Whether a session plays with the client only that fetched first.",
    ),
)


def settings_options(command: Command) -> Command:
    """Add the options of all settings but title and source."""
    for option in reversed(SETTINGS):
        command = option(command)
    return command


def fields_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the API's fields for the options that were given."""
    given = {field: options.get(name) for field, name in FIELDS.items()}
    fields = {field: value for field, value in given.items() if value is not None and value != ()}
    for name in ("backups", "custom_renditions"):
        if name in fields:
            fields[name] = list(fields[name])
    if "lease_ms" in fields:
        fields["lease_ms"] *= 1000
    if "custom_renditions" in fields:
        fields.setdefault("abr_profile", "custom")
    return fields


def setting_text(name: str, value: Any) -> str:
    """Return the value of a field for people, without what may be secret."""
    if name == "ingest":
        return source_text(value)
    if name == "backups":
        return ", ".join(map(source_text, value)) or "none"
    if name == "custom_renditions":
        return ", ".join(f"{each['name']} {each['width']}x{each['height']}" for each in value) or "none"
    if name == "rate_millipoints_per_minute":
        return f"{short_amount(value)} points/min" if value else "free"
    if name == "lease_ms":
        return f"{value / 1000:g} s"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _bits(text: str) -> int | None:
    try:
        return int(float(text.rstrip("kM")) * FACTORS.get(text[-1], 1))
    except ValueError:
        return None
