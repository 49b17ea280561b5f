"""`player play`: watch a stream in mpv and pay for it, lease by lease."""

import json
import os
import sys
import time

import click

from player.commands.options import WAIT_DEFAULT, CommandWithWait, OptionalValue, Wait
from player.context import Context
from player.endings import Ending
from player.errors import CliError, StartUnansweredError
from player.exit_status import ExitStatus, exit_status_help
from player.http.client import ProblemError
from player.session.charges import Charges
from player.session.forecast import Forecast
from player.session.play import PlayOptions, play
from player.session.playback_api import PlaybackApi
from player.session.receipt import Receipt
from player.session.start import PlayRequest
from player.session.start_errors import start_error
from player.terminal.display import has_display
from player.terminal.durations import duration_s
from player.terminal.output import terminal_width
from player.terminal.screen import Screen
from player.terminal.text import fitted


@click.command("play", cls=CommandWithWait, epilog=exit_status_help())
@click.argument("stream_id")
@click.argument("mpv_options", nargs=-1, metavar="[-- MPV_OPTION...]")
@click.option(
    "--max-points",
    type=click.IntRange(min=1),
    metavar="N",
    help="Spend at most N points, and up to 8 s more for what was fetched ahead.",
)
@click.option(
    "--wait",
    "wait_s",
    cls=OptionalValue,
    type=Wait(),
    metavar="[=TIME]",
    help=f"When the points end, wait for a top-up. Without TIME: {WAIT_DEFAULT}.",
)
@click.option("--replace", is_flag=True, help="If you have too many sessions, end the oldest one.")
@click.option("--headless", is_flag=True, help="Play without picture and sound. The default without a display.")
@click.option("--dry-run", is_flag=True, help="Only show what it would cost and when it would end. Starts nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as one line of JSON, for scripts.")
@click.pass_obj
def command(
    context: Context,
    stream_id: str,
    mpv_options: tuple[str, ...],
    max_points: int | None,
    wait_s: int | None,
    replace: bool,
    headless: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Play a stream in mpv, until you stop, your points are used up, or the stream ends.

    You pay while you watch, for a few seconds at a time. A pause costs nothing. When you stop, the unused time of the
    last seconds comes back; up to 8 s that were fetched ahead are paid. What was paid and not delivered comes back by
    itself, within minutes.

    Where two screens spend the last points at once, up to 8 s that were fetched ahead may cost extra. What you
    cannot pay then, your next start pays first.

    With --wait, mpv keeps its last picture when your points are used up. Nothing is bought while the player waits, and
    it goes on in the same window once there are points. It does not wait when --max-points or your daily cap is
    reached.

    Options for mpv follow after `--`; mpv.conf is read only with `-- --config=yes`.

    \b
      player play stream-1
      player play stream-1 --wait=30m
      player play stream-1 --max-points 30 -- --fs --volume=60
      player play stream-1 --max-points 30 --dry-run
    """
    if dry_run:
        _forecast(context, stream_id, max_points, as_json)
        return
    for option in mpv_options:
        if wait_s is not None and duration_s(option) is not None:
            raise click.UsageError(f"The time to wait follows an equals sign: --wait={option}")
        if not option.startswith("--"):
            raise click.UsageError(f"{option!r} is not an mpv option. Write mpv options like this: -- --fs --volume=60")
    request = PlayRequest(stream_id, max_points, wait_s)
    has_no_display = not headless and not has_display()
    notice = "There is no display: playing without picture and sound." if has_no_display else ""
    options = PlayOptions(headless or has_no_display, mpv_options, replace, notice)
    try:
        status = _play(context, request, options, as_json)
    except CliError as error:
        if as_json:
            click.echo(_error_json(stream_id, error))
        raise
    except KeyboardInterrupt:
        status = ExitStatus.INTERRUPTED
    sys.exit(int(status))


def _play(context: Context, request: PlayRequest, options: PlayOptions, as_json: bool) -> ExitStatus:
    try:
        receipt = play(PlaybackApi(context.account), request, options, Screen(sys.stderr))
    except ProblemError as problem:
        raise start_error(problem, request.stream_id) from None
    _print_receipt([receipt.as_json()] if as_json else receipt.lines())
    return receipt.ending.exit_status


def _forecast(context: Context, stream_id: str, max_points: int | None, as_json: bool) -> None:
    try:
        stream = PlaybackApi(context.account).stream(stream_id)
        wallet = context.account.call("GET", "/me/wallet")
    except ProblemError as problem:
        raise start_error(problem, stream_id) from None
    forecast = Forecast(stream, wallet, max_points, time.time())
    if as_json:
        click.echo(json.dumps(forecast.as_dict()))
        return
    width = terminal_width()
    for line in forecast.lines(width):
        click.echo("\n".join(fitted(line, width)))


def _print_receipt(lines: list[str]) -> None:
    """Print the receipt. If the terminal was closed, only the exit status remains."""
    try:
        click.echo("\n".join(lines))
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # so that Python's last flush does not fail


def _error_json(stream_id: str, error: CliError) -> str:
    """Return the receipt of a play that was not started."""
    ending = Ending(error.end_reason, ExitStatus(error.exit_code), error.format_message(), error.operator_message)
    # An unanswered start may have bought a lease that cannot be refunded.
    settled = not isinstance(error, StartUnansweredError)
    return Receipt(ending, stream_id, Charges(), played_ms=0, frames_shown=0, settled=settled).as_json()
