"""One viewing from start to receipt: whatever happens in between, mpv is ended and the session is stopped."""

import queue
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from player.errors import CliError
from player.mpv.argv import start_index
from player.mpv.meter import Meter
from player.mpv.process import MpvProcess
from player.outcome import BROKEN, SIGNALLED, Ending, ExitStatus
from player.session.controller import Events, Viewing
from player.session.playback_api import Playback
from player.session.receipt import Bill, Receipt
from player.session.start import Wish, start_session
from player.terminal.formats import printable
from player.terminal.screen import Screen

STOP_TRIES = 3
STOP_TIMEOUT_S = 2.0
STOP_PAUSE_S = 0.3
END_NOTICE_S = 0.8


@dataclass(frozen=True)
class Options:
    """How to play: whether without picture and sound, what to tell mpv, whether to end the user's oldest session.

    `remark` is told to the viewer once it really plays.
    """

    headless: bool
    mpv_options: Sequence[str]
    replace: bool
    remark: str = ""


def watch(playback: Playback, wish: Wish, options: Options, screen: Screen) -> Receipt:
    """Play a stream until it is over. Raises CliError when it could not even be started."""
    stream = playback.stream(wish.stream_id)
    title = printable(str(stream["title"])) or wish.stream_id
    begin = start_index(stream.get("live_start_index"))
    events: Events = queue.SimpleQueue()
    meter, bill = Meter(), Bill()

    def on_mpv_event(event: dict[str, Any]) -> None:
        meter.take(event)
        if event.get("name") != "time-pos":  # one for each frame: only the meter needs them
            events.put(event)

    # mpv first: one that is missing or broken must not cost anything
    with MpvProcess(title, options.headless, options.mpv_options, begin, on_mpv_event) as mpv:
        _turn_signals_into(events)
        first = start_session(playback, wish, options.replace)
        if options.remark:
            screen.note(options.remark)
        viewing = Viewing(mpv, playback, wish, first, title, meter, bill, events, screen)
        ending, settled = BROKEN, False
        try:
            ending = viewing.run()
            _say_goodbye(mpv, ending, options.headless)
        finally:
            mpv.end()
            meter.stop()
            viewing.close()
            ending, settled = _settle(playback, bill, ending)
    return Receipt(ending, wish.stream_id, bill, meter.played_ms, meter.frames_shown, settled)


def _say_goodbye(mpv: MpvProcess, ending: Ending, headless: bool) -> None:
    """Show the reason on the picture for a moment, unless it was the viewer who ended it."""
    if not headless and ending.exit_status in (ExitStatus.OUT_OF_POINTS, ExitStatus.ENDED_BY_OTHERS):
        mpv.show(f"{ending.sentence} ({ending.end_reason})", END_NOTICE_S)
        mpv.exit_status(END_NOTICE_S)


def _settle(playback: Playback, bill: Bill, ending: Ending) -> tuple[Ending, bool]:
    """Stop the last session, so that its unserved time is refunded; return how it ended, and whether that is sure.

    Stopping is idempotent: a session that ended already answers with its own end.
    """
    session_id = bill.session_ids[-1]
    if bill.is_settled(session_id):
        return ending, not bill.start_unanswered
    for attempt in range(STOP_TRIES):
        if attempt:
            time.sleep(STOP_PAUSE_S)
        try:
            totals = playback.stop(session_id, STOP_TIMEOUT_S)
        except CliError:
            continue
        bill.settle(session_id, totals.charged_millipoints, totals.watched_ms)
        bill.balance(totals.balance_millipoints)
        known_better = ending.exit_status == ExitStatus.OK and totals.end_reason != ending.end_reason
        return (Ending.of_reason(totals.end_reason) if known_better else ending), not bill.start_unanswered
    return ending, False


def _turn_signals_into(events: Events) -> None:
    """Make SIGINT, SIGTERM and SIGHUP end the viewing in order.

    They are not turned back: the process ends soon after, and a second signal must not cut the receipt off.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        events.put(SIGNALLED[signal.Signals(number).name])

    for name in SIGNALLED:
        signal.signal(signal.Signals[name], on_signal)
