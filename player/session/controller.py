"""The loop that watches over mpv, relay and heartbeat while a stream plays, and knows when it is over."""

import queue
import time
from typing import Any

from player.media.credentials import Gate
from player.media.relay import Relay
from player.media.upstream import Upstream
from player.mpv.ipc import MpvError
from player.mpv.meter import OBSERVED, Meter
from player.mpv.process import MpvProcess
from player.outcome import STREAM_ENDED, Ending, media_lost, media_unreachable, mpv_failed
from player.session.heartbeat import Heartbeat
from player.session.playback_api import Lease, Playback
from player.session.receipt import Bill
from player.session.start import Wish
from player.terminal.notices import LOW_SHOW_S, START_SHOW_S, LowNotices, start_notice
from player.terminal.screen import Screen, View

TICK_S = 0.5
# From here on nothing is bought by the clock, and after the longer time it is given up.
MEDIA_FAILING_S, MEDIA_LOST_S = 5.0, 30.0
# Where no address of the media answers at all. Within a lease, so that a part of it is given back.
MEDIA_UNREACHED_S = 8.0
RELOAD_DELAYS_S = (1.0, 2.0, 3.0, 4.0, 4.0, 4.0)
END_OF_STREAM_WAIT_S = 2.0

Events = queue.SimpleQueue[Any]
"""What happens: an Ending (it is over), a Lease (the server's latest answer), or a dict (an event of mpv's)."""


class Viewing:
    """One viewing. `run` is called once, from the main thread, then `close`."""

    def __init__(
        self,
        mpv: MpvProcess,
        playback: Playback,
        wish: Wish,
        first: Lease,
        title: str,
        meter: Meter,
        bill: Bill,
        events: Events,
        screen: Screen,
    ) -> None:
        self._mpv, self._meter, self._events, self._screen = mpv, meter, events, screen
        self._title, self._bill = title, bill
        self._gate = Gate()
        self._heartbeat = Heartbeat(playback, wish, first, self._gate, bill, events.put, events.put)
        heartbeat = self._heartbeat
        self._upstream = Upstream(self._gate, heartbeat.beat_now, heartbeat.begin_anew, events.put, playback.server)
        self._relay = Relay(self._gate, self._upstream)
        self._paused_at: float | None = None
        self._greeted = False
        self._reloads = 0
        self._reload_at: float | None = None
        self._frames_at_reload = 0
        self._take_lease(first)
        self._low = LowNotices(first.seconds_left)

    def run(self) -> Ending:
        """Play until it is over, and return how it ended."""
        self._heartbeat.hold_back(True)  # until a first playlist shows that the media can be reached
        self._relay.start()
        self._heartbeat.start()
        try:
            self._mpv.observe(*OBSERVED)
            self._mpv.play(self._relay.url)
            while True:
                self._draw()
                ending = self._take(self._next_event()) or self._check()
                if ending:
                    return ending
        except MpvError:
            return self._mpv_gone()

    def close(self) -> None:
        """Fetch and buy nothing more. Takes 3 s at most, or 12 s when a session is being started anew."""
        self._screen.clear()
        self._relay.close()
        self._heartbeat.stop()

    def _next_event(self) -> Any:
        try:
            return self._events.get(timeout=TICK_S)
        except queue.Empty:
            return None

    def _take(self, event: Any) -> Ending | None:
        if isinstance(event, Ending):
            return event
        if isinstance(event, Lease):
            self._take_lease(event)
        elif isinstance(event, dict):
            return self._take_mpv_event(event)
        return None

    def _take_lease(self, lease: Lease) -> None:
        self._lease, self._lease_at = lease, time.monotonic()
        self._bill.balance(lease.balance_millipoints)

    def _take_mpv_event(self, event: dict[str, Any]) -> Ending | None:
        kind = event["event"]
        if kind == "closed":
            return self._mpv_gone()
        if kind == "property-change" and event["name"] == "pause":
            self._take_pause(event.get("data") is True)
        elif kind == "file-loaded" and not self._greeted:
            self._greeted = True
            self._mpv.show(start_notice(self._title, self._lease), START_SHOW_S)
        elif kind == "end-file" and event.get("reason") == "stop":
            return Ending.of_reason("viewer_stopped")
        elif kind == "end-file" and event.get("reason") in ("eof", "error"):
            return self._take_end_of_file()
        return None

    def _take_pause(self, paused: bool) -> None:
        if paused:
            self._paused_at = time.monotonic()
            self._heartbeat.pause()
        elif self._paused_at is not None:
            self._lease_at += time.monotonic() - max(self._paused_at, self._lease_at)  # no time left passed meanwhile
            self._paused_at = None
            self._upstream.forgive()
            self._heartbeat.resume()

    def _take_end_of_file(self) -> Ending | None:
        """Find out what mpv's end of file means: a beat asks the server; if nothing is over, mpv loads again."""
        if not self._media_is_failing():
            self._heartbeat.beat_now()
        if self._meter.frames_shown > self._frames_at_reload or self._upstream.failing_s:
            self._reloads = 0
        if self._reloads == len(RELOAD_DELAYS_S):
            if not self._upstream.route.is_found:
                return media_unreachable(self._upstream.route.trouble)
            return mpv_failed(f"mpv could not play the stream. {self._last_words()}".strip())
        at_end = self._relay.saw_end_of_stream
        self._reload_at = time.monotonic() + (END_OF_STREAM_WAIT_S if at_end else RELOAD_DELAYS_S[self._reloads])
        self._reloads += 1
        self._frames_at_reload = self._meter.frames_shown
        return None

    def _check(self) -> Ending | None:
        now = time.monotonic()
        if self._paused_at is None and (lost := self._media_lost()):
            return lost
        self._heartbeat.hold_back(self._media_is_failing())
        if self._reload_at is not None and now >= self._reload_at:
            self._reload_at = None
            if self._relay.saw_end_of_stream:
                return STREAM_ENDED
            self._mpv.play(self._relay.url)
        notice = self._low.due(self._seconds_left(), self._lease.balance_millipoints, self._lease.others_spending)
        if notice:
            self._mpv.show(notice, LOW_SHOW_S)
            self._screen.note(f"Running out: {notice}")
        return None

    def _media_is_failing(self) -> bool:
        return self._upstream.failing_s > MEDIA_FAILING_S or not self._upstream.route.is_found

    def _media_lost(self) -> Ending | None:
        failing_s, route = self._upstream.failing_s, self._upstream.route
        if failing_s > MEDIA_LOST_S:
            return media_lost(route.trouble)
        return None if route.was_answered or failing_s < MEDIA_UNREACHED_S else media_unreachable(route.trouble)

    def _mpv_gone(self) -> Ending:
        """Tell a viewer who closed mpv from an mpv that failed."""
        status = self._mpv.exit_status(2.0)
        if status == 0:
            return Ending.of_reason("viewer_stopped")
        how = "does not answer" if status is None else f"was killed by signal {-status}" if status < 0 else "failed"
        return mpv_failed(f"mpv {how}. {self._last_words()}".strip())

    def _last_words(self) -> str:
        return self._mpv.last_words(secret=self._relay.secret)

    def _seconds_left(self) -> float | None:
        if self._lease.seconds_left is None:
            return None
        until = self._paused_at if self._paused_at is not None else time.monotonic()
        return max(0.0, self._lease.seconds_left - max(0.0, until - self._lease_at))

    def _draw(self) -> None:
        state = "Buffering" if self._meter.buffering else "Playing"
        if self._lease.outcome == "unserved":
            state = "Waiting for the stream (free)"
        if self._upstream.failing_s > MEDIA_FAILING_S:
            state = "No picture (buying nothing)"
        if self._paused_at is not None:
            state = "Paused (free)"
        self._screen.draw(
            View(
                state,
                self._title,
                self._lease.balance_millipoints,
                self._lease.rate_millipoints_per_minute,
                self._seconds_left(),
                self._lease.others_spending,
            )
        )
