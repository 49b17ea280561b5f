"""`player play`: watch a stream in mpv, and pay for it lease by lease."""

import json
import os
import sys

import click

from player.context import Context, sentence, terminal_width
from player.errors import CliError, StartUnansweredError
from player.outcome import ExitStatus, exit_status_help


@click.command("play", short_help="Watch a stream in mpv.", epilog=exit_status_help())
@click.argument("stream_id")
@click.argument("mpv_options", nargs=-1, metavar="[-- MPV_OPTION...]")
@click.option("--max-points", type=click.IntRange(min=1), metavar="N", help="Never spend more than N points.")
@click.option("--replace", is_flag=True, help="If you watch on too many screens already, end the oldest session.")
@click.option("--headless", is_flag=True, help="Play without picture and sound. Chosen where there is no display.")
@click.option("--dry-run", is_flag=True, help="Only say what it would cost and when it would end. Starts nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as one line of JSON, for scripts.")
@click.pass_obj
def command(
    context: Context,
    stream_id: str,
    mpv_options: tuple[str, ...],
    max_points: int | None,
    replace: bool,
    headless: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Play a stream in mpv, until you stop, your points are used up, or the stream ends.

    You pay while you watch, for a few seconds at a time; what was paid and not watched is given back. A pause costs
    nothing. Options for mpv follow after `--`; mpv.conf is read only with `-- --config=yes`.

    \b
      player play stream-1
      player play stream-1 --max-points 30 -- --fs --volume=60
      player play stream-1 --max-points 30 --dry-run
    """
    if dry_run:
        _forecast(context, stream_id, max_points, as_json)
        return
    for option in mpv_options:
        if not option.startswith("--"):
            raise click.UsageError(f"{option!r} is no mpv option. Write mpv options like this: -- --fs --volume=60")
    try:
        status = _play(context, stream_id, mpv_options, max_points, replace, headless, as_json)
    except CliError as error:
        if as_json:
            click.echo(_error_json(stream_id, error))
        raise
    except KeyboardInterrupt:
        status = ExitStatus.INTERRUPTED
    sys.exit(int(status))


def _play(
    context: Context,
    stream_id: str,
    mpv_options: tuple[str, ...],
    max_points: int | None,
    replace: bool,
    headless: bool,
    as_json: bool,
) -> ExitStatus:
    from player.http.client import ProblemError
    from player.session.play import Options, watch
    from player.session.playback_api import Playback
    from player.session.start import Wish
    from player.session.start_errors import start_error
    from player.terminal.screen import Screen

    screen = Screen(sys.stderr)
    no_display = not headless and not _has_display()
    remark = "There is no display: playing without picture and sound." if no_display else ""
    options = Options(headless or no_display, mpv_options, replace, remark)
    try:
        receipt = watch(Playback(context.account), Wish(stream_id, max_points), options, screen)
    except ProblemError as problem:
        raise start_error(problem, stream_id) from None
    _say([receipt.as_json()] if as_json else receipt.lines())
    return receipt.ending.exit_status


def _forecast(context: Context, stream_id: str, max_points: int | None, as_json: bool) -> None:
    from player.http.client import ProblemError
    from player.session.forecast import forecast
    from player.session.playback_api import Playback
    from player.session.start_errors import start_error

    try:
        stream = Playback(context.account).stream(stream_id)
        wallet = context.account.call("GET", "/me/wallet")
    except ProblemError as problem:
        raise start_error(problem, stream_id) from None
    found = forecast(stream, wallet, max_points)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
        return
    for line in found.lines(terminal_width()):
        sentence(line)


def _say(lines: list[str]) -> None:
    """Write the last words. Where nobody listens any more (a closed terminal), the exit status still tells."""
    try:
        click.echo("\n".join(lines))
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # so that Python's own last flush is silent, too


def _has_display() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _error_json(stream_id: str, error: CliError) -> str:
    return json.dumps(
        {
            "end_reason": error.end_reason,
            "exit_status": error.exit_code,
            "message": error.format_message(),
            "stream_id": stream_id,
            "session_ids": [],
            "watched_ms": 0,
            "spent_millipoints": 0,
            "balance_millipoints": None,
            "frames_shown": 0,
            # Where no try of a start was answered, a lease may have been bought that nobody could stop.
            "settled": not isinstance(error, StartUnansweredError),
        }
    )
