"""One `play` from start to receipt. In every case mpv is ended and the session is stopped."""

import queue
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from player.endings import BROKEN, SIGNALLED, Ending
from player.errors import CliError
from player.exit_status import ExitStatus
from player.mpv.argv import start_index
from player.mpv.meter import Meter
from player.mpv.process import MpvProcess
from player.session.charges import Charges
from player.session.controller import Events, PlaybackController
from player.session.playback_api import PlaybackApi
from player.session.receipt import Receipt
from player.session.start import PlayRequest, start_session
from player.terminal.notices import message_line, message_s
from player.terminal.screen import Screen
from player.terminal.text import printable

STOP_ATTEMPTS = 3
STOP_TIMEOUT_S = 2.0
STOP_DELAY_S = 0.3
END_NOTICE_S = 0.8
TICK_S = 0.1


@dataclass(frozen=True)
class PlayOptions:
    """How to play. `replace` ends the viewer's oldest session; `notice` is shown once playing begins."""

    headless: bool
    mpv_options: Sequence[str]
    replace: bool
    notice: str = ""


def play(api: PlaybackApi, request: PlayRequest, options: PlayOptions, screen: Screen) -> Receipt:
    """Play a stream until it ends. Raise CliError when it cannot be started."""
    stream = api.stream(request.stream_id)
    title = printable(str(stream["title"])) or request.stream_id
    live_start_index = start_index(stream.get("live_start_index"))
    events: Events = queue.SimpleQueue()
    meter, charges = Meter(), Charges()

    def on_mpv_event(event: dict[str, Any]) -> None:
        meter.take(event)
        if event.get("name") != "time-pos":  # one for each frame: only the meter needs them
            events.put(event)

    # mpv first: a missing or broken mpv must not cost anything
    with MpvProcess(title, options.headless, options.mpv_options, live_start_index, on_mpv_event) as mpv:
        _queue_signals(events)
        first = start_session(api, request, options.replace)
        if options.notice:
            screen.note(options.notice)
        controller = PlaybackController(mpv, api, request, first, title, meter, charges, events, screen)
        ending, settled = BROKEN, False
        try:
            ending = controller.run()
            if ending.exit_status == ExitStatus.ENDED_BY_OTHERS:
                # A refusal of media only names the reason; the answer to a stop also has the operator's message.
                ending, settled = _settle(api, charges, ending)
            if not options.headless:
                _show_ending(mpv, events, ending)
        finally:
            mpv.end()
            meter.stop()
            controller.close()
            ending, settled = _settle(api, charges, ending)
    return Receipt(ending, request.stream_id, charges, meter.played_ms, meter.frames_shown, settled)


def _show_ending(mpv: MpvProcess, events: Events, ending: Ending) -> None:
    """Show the reason on the picture for a moment, unless the viewer stopped. A message stays long enough to be read.

    Closing mpv or a signal ends that. The session is over, so it costs nothing.
    """
    if ending.exit_status not in (ExitStatus.OUT_OF_POINTS, ExitStatus.ENDED_BY_OTHERS):
        return
    text, seconds = f"{ending.sentence} ({ending.end_reason})", END_NOTICE_S
    if ending.message:
        text, seconds = f"{text}\n{message_line(ending.message)}", message_s(ending.message)
    mpv.show(text, seconds)
    until = time.monotonic() + seconds
    while (remaining_s := until - time.monotonic()) > 0 and mpv.exit_status() is None:
        with suppress(queue.Empty):
            if isinstance(events.get(timeout=min(remaining_s, TICK_S)), Ending):
                return


def _settle(api: PlaybackApi, charges: Charges, ending: Ending) -> tuple[Ending, bool]:
    """Stop the last session for the refund of its unserved time. Return its ending, and whether that is confirmed.

    A session that has ended already answers with its own end reason and an operator's message.
    """
    session_id = charges.session_ids[-1]
    for attempt in range(STOP_ATTEMPTS):
        if charges.is_settled(session_id):
            break
        if attempt:
            time.sleep(STOP_DELAY_S)
        with suppress(CliError):
            charges.settle(session_id, api.stop(session_id, STOP_TIMEOUT_S))
    reason = charges.end_reason(session_id)
    is_settled = charges.is_settled(session_id) and not charges.start_unanswered
    server_knows_better = is_settled and ending.exit_status == ExitStatus.OK and reason != ending.end_reason
    ending = Ending.of_reason(str(reason)) if server_knows_better else ending
    return replace(ending, message=ending.message or charges.message(session_id)), is_settled


def _queue_signals(events: Events) -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into events that end the play.

    The handlers stay: the process ends soon after, and a second signal must not cut the receipt off.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        events.put(SIGNALLED[signal.Signals(number).name])

    for name in SIGNALLED:
        signal.signal(signal.Signals[name], on_signal)
