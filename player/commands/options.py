"""Option types and parsing that click lacks."""

import click

from player.terminal.durations import duration_s

WAIT_DEFAULT = "10m"
WAIT_S_MIN, WAIT_S_MAX = 1, 24 * 3_600
WAIT_FORM = "It is a whole number with s, m or h, from 1s to 24h"


class Wait(click.ParamType[int]):
    """A time to wait, in seconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds. Raise click.BadParameter."""
        seconds = duration_s(str(value))
        if seconds is None or not WAIT_S_MIN <= seconds <= WAIT_S_MAX:
            self.fail(f"{value!r} is no time to wait. {WAIT_FORM}: --wait=10m", param, ctx)
        return seconds


class OptionalValue(click.Option):
    """An option whose value follows an equals sign, or is left out."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its text for the help, without click's space before the value."""
        record = super().get_help_record(ctx)
        return record and (record[0].replace(" [=", "[="), record[1])


class CommandWithWait(click.Command):
    """A command with the option `--wait[=TIME]`: without `=`, the next word is not its value, unlike click's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line."""
        end = args.index("--") if "--" in args else len(args)
        options = [f"--wait={WAIT_DEFAULT}" if word == "--wait" else word for word in args[:end]]
        return super().parse_args(ctx, options + args[end:])
