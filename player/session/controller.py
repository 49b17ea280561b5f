"""The main loop of `play`: it watches mpv, relay and heartbeat, and decides when the session is over."""

import queue
import time
from typing import Any

from player.endings import STREAM_ENDED, Ending, media_lost, media_unreachable, mpv_failed
from player.media.credentials import CredentialsProvider
from player.media.relay import Relay
from player.media.upstream import Upstream
from player.mpv.ipc import MpvError
from player.mpv.meter import OBSERVED, Meter
from player.mpv.process import MpvProcess
from player.session.announcements import Announcements
from player.session.charges import Charges
from player.session.heartbeat import Heartbeat
from player.session.playback_api import Lease, PlaybackApi
from player.session.start import PlayRequest
from player.session.waiting import Waiting
from player.terminal.screen import Screen, Status

TICK_S = 0.5
# After the shorter time heartbeats are held, after the longer one the play ends.
MEDIA_FAILING_S, MEDIA_LOST_S = 5.0, 30.0
# When no media address answers at all. Shorter than a lease, so that a part of it is refunded.
MEDIA_UNREACHED_S = 8.0
RELOAD_DELAYS_S = (1.0, 2.0, 3.0, 4.0, 4.0, 4.0)
END_OF_STREAM_WAIT_S = 2.0

Events = queue.SimpleQueue[Any]
"""An Ending (the play is over), a Lease (the server's answer), a Waiting (for points), or a dict (mpv's event)."""


class PlaybackController:
    """Controls one `play`. Call `run` once, from the main thread, then `close`."""

    def __init__(
        self,
        mpv: MpvProcess,
        api: PlaybackApi,
        request: PlayRequest,
        first: Lease,
        title: str,
        meter: Meter,
        charges: Charges,
        events: Events,
        screen: Screen,
    ) -> None:
        self._mpv, self._meter, self._events, self._screen = mpv, meter, events, screen
        self._title, self._charges = title, charges
        credentials = CredentialsProvider()
        self._heartbeat = Heartbeat(api, request, first, credentials, charges, events.put, events.put, events.put)
        self._upstream = Upstream(
            credentials, self._heartbeat.send_now, self._heartbeat.restart, events.put, api.server
        )
        self._relay = Relay(credentials, self._upstream)
        self._paused_at: float | None = None
        self._waiting: Waiting | None = None
        self._reloads = 0
        self._reload_at: float | None = None
        self._frames_at_reload = 0
        self._take_lease(first)
        self._announcements = Announcements(mpv, screen, request, charges, first.seconds_left)

    def run(self) -> Ending:
        """Play until the session is over, and return its ending."""
        self._heartbeat.set_media_failing(True)  # until the first playlist shows that the media can be reached
        self._relay.start()
        self._heartbeat.start()
        try:
            self._mpv.observe(*OBSERVED)
            if self._mpv.is_paused():
                # Its event may come behind the first request for media.
                self._take_pause(True)
            self._play()
            while True:
                self._screen.draw(self._status())
                ending = self._take(self._next_event()) or self._check()
                if ending:
                    return ending
        except MpvError:
            return self._ending_of_mpv()

    def close(self) -> None:
        """Stop fetching and buying. Takes 3 s at most, or 12 s while a session is being restarted."""
        self._screen.clear()
        self._relay.close()
        self._heartbeat.stop()

    def _play(self) -> None:
        self._relay.begin_part()
        self._mpv.play(self._relay.url)

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
        elif isinstance(event, Waiting):
            self._waiting = event
            self._charges.update_balance(event.funds.balance_millipoints)
        elif isinstance(event, dict):
            return self._take_mpv_event(event)
        return None

    def _take_lease(self, lease: Lease) -> None:
        self._lease, self._lease_at = lease, time.monotonic()
        self._charges.update_balance(lease.balance_millipoints)
        if self._waiting is not None:
            self._waiting = None
            self._upstream.reset_failures()
            self._announcements.end_wait(self._status())

    def _take_mpv_event(self, event: dict[str, Any]) -> Ending | None:
        kind = event["event"]
        if kind == "closed":
            return self._ending_of_mpv()
        if kind == "property-change" and event["name"] == "pause":
            self._take_pause(event.get("data") is True)
        elif kind == "file-loaded":
            self._announcements.show_start(self._status())
        elif kind == "end-file" and event.get("reason") == "stop":
            return Ending.of_reason("viewer_stopped")
        elif kind == "end-file" and event.get("reason") in ("eof", "error"):
            return self._take_end_of_file()
        return None

    def _take_pause(self, is_paused: bool) -> None:
        if is_paused:
            self._paused_at = self._paused_at or time.monotonic()
            self._heartbeat.pause()
        elif self._paused_at is not None:
            self._lease_at += time.monotonic() - max(self._paused_at, self._lease_at)  # a pause uses up no time left
            self._paused_at = None
            self._upstream.reset_failures()
            self._heartbeat.resume()

    def _take_end_of_file(self) -> Ending | None:
        """Schedule a reload. Meanwhile a heartbeat asks the server whether the session is over."""
        if self._waiting is not None:
            self._reload_at = time.monotonic()  # once the points have come
            return None
        if not self._is_media_failing():
            self._heartbeat.send_now()
        if self._meter.frames_shown > self._frames_at_reload or self._upstream.failing_s:
            self._reloads = 0
        if self._reloads == len(RELOAD_DELAYS_S):
            if not self._upstream.route.is_found:
                return media_unreachable(self._upstream.route.trouble)
            return mpv_failed(f"mpv could not play the stream. {self._mpv_log()}".strip())
        if self._relay.parts.is_ending:
            self._reload_at = time.monotonic()
            return None
        at_end = self._relay.saw_end_of_stream
        self._reload_at = time.monotonic() + (END_OF_STREAM_WAIT_S if at_end else RELOAD_DELAYS_S[self._reloads])
        self._reloads += 1
        self._frames_at_reload = self._meter.frames_shown
        return None

    def _check(self) -> Ending | None:
        now = time.monotonic()
        if self._waiting is not None:  # the media are held, so nothing can fail
            self._announcements.show_wait(self._waiting, self._paused_at is not None)
            return None
        if self._paused_at is None and (ending := self._ending_of_media()):
            return ending
        self._heartbeat.set_media_failing(self._is_media_failing())
        if self._reload_at is not None and now >= self._reload_at:
            self._reload_at = None
            if self._relay.saw_end_of_stream:
                return STREAM_ENDED
            self._play()
        self._announcements.show_money(self._status(), self._lease)
        return None

    def _is_media_failing(self) -> bool:
        return self._upstream.failing_s > MEDIA_FAILING_S or not self._upstream.route.is_found

    def _ending_of_media(self) -> Ending | None:
        failing_s, route = self._upstream.failing_s, self._upstream.route
        if failing_s > MEDIA_LOST_S:
            return media_lost(route.trouble)
        return None if route.was_answered or failing_s < MEDIA_UNREACHED_S else media_unreachable(route.trouble)

    def _ending_of_mpv(self) -> Ending:
        """Return the ending for an mpv that the viewer closed, or that failed."""
        status = self._mpv.exit_status(2.0)
        if status == 0:
            return Ending.of_reason("viewer_stopped")
        fault = "does not answer" if status is None else f"was killed by signal {-status}" if status < 0 else "failed"
        return mpv_failed(f"mpv {fault}. {self._mpv_log()}".strip())

    def _mpv_log(self) -> str:
        return self._mpv.log_tail(secret=self._relay.secret)

    def _seconds_left(self) -> float | None:
        if self._lease.seconds_left is None:
            return None
        until = self._paused_at if self._paused_at is not None else time.monotonic()
        return max(0.0, self._lease.seconds_left - max(0.0, until - self._lease_at))

    def _status(self) -> Status:
        lease, waiting = self._lease, self._waiting
        if waiting is not None:
            waiting_s = None if waiting.is_over else max(0.0, waiting.ends_at - time.monotonic())
            balance, rate = waiting.funds.balance_millipoints, lease.rate_millipoints_per_minute
            return Status(self._activity(), self._title, balance, rate, None, 0, waiting_s)
        return Status(
            self._activity(),
            self._title,
            lease.balance_millipoints,
            lease.rate_millipoints_per_minute,
            self._seconds_left(),
            lease.others_spending,
        )

    def _activity(self) -> str:
        if self._waiting is not None and not self._waiting.is_over:
            if self._waiting.is_refused:
                return "Waiting for the start"
            return "Waiting for points" if self._waiting.is_reachable else "Waiting for the server"
        if self._paused_at is not None:
            return "Paused (free)"
        if self._upstream.failing_s > MEDIA_FAILING_S:
            return "No picture (buying nothing)"
        if self._lease.outcome == "unserved":
            return "Waiting for the stream (free)"
        if self._waiting is not None:
            return "Starting"
        if self._meter.is_buffering and self._upstream.is_ahead_of_payment:
            return "Waiting for the next payment"
        return "Buffering" if self._meter.is_buffering else "Playing"
