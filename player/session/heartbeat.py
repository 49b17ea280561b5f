"""The heartbeat: a thread that buys lease after lease while the viewer watches, and says when it is over."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from player.errors import CliError, StartUnansweredError, UnreachableError
from player.http.client import ProblemError
from player.media.credentials import Gate, Ticket
from player.outcome import BROKEN, MOVED, NETWORK_LOST, NOTHING_LEFT, START_UNANSWERED, Ending, refused
from player.session.playback_api import Lease, Playback
from player.session.receipt import Bill
from player.session.schedule import BeatSchedule
from player.session.start import START_S_MAX, Wish, start_session

BEAT_TIMEOUT_S = 5.0
PAUSE_CHECK_S = 60.0
STOP_WAIT_S = 2.0
# Longer than a start may take, so that a session that was bought last can be stopped.
START_WAIT_S = START_S_MAX + 1.0


class Heartbeat:
    """Beats for one viewing, which is one session, or several when a long pause let one lapse or the viewer has moved.

    `on_lease` and `on_over` are called from the heartbeat's thread and must return at once.
    """

    def __init__(
        self,
        playback: Playback,
        wish: Wish,
        first: Lease,
        gate: Gate,
        bill: Bill,
        on_lease: Callable[[Lease], None],
        on_over: Callable[[Ending], None],
    ) -> None:
        self._playback, self._wish, self._gate, self._bill = playback, wish, gate, bill
        self._on_lease, self._on_over = on_lease, on_over
        self._changed = threading.Condition()
        self._paused = self._ended = False
        self._held_back = self._asked = self._moved = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._begin(first)

    def start(self) -> None:
        """Start beating."""
        self._thread.start()

    def pause(self) -> None:
        """Beat no more, and let the relay fetch nothing, until `resume`."""
        with self._changed:
            self._paused = True
            self._gate.hold()

    def resume(self) -> None:
        """Beat, and only then let the relay fetch again. Nothing happens unless paused."""
        with self._changed:
            if self._paused:
                self._paused = False
                self._schedule.resumed(time.monotonic())
                self._changed.notify_all()

    def hold_back(self, holding: bool) -> None:
        """Buy no lease by the clock while no media arrives, but only the one that `beat_now` asks for."""
        with self._changed:
            if holding != self._held_back:
                self._held_back, self._asked = holding, False
                self._changed.notify_all()

    def beat_now(self) -> None:
        """Ask the server at once: the gateway refused something, and a beat's answer tells why (or a fresh token)."""
        with self._changed:
            if self._held_back and not self._asked:
                self._asked = True
                self._schedule.resumed(time.monotonic())
            else:
                self._schedule.hurry(time.monotonic())
            self._changed.notify_all()

    def begin_anew(self) -> None:
        """Buy nothing more for this session: the gateway serves it elsewhere. Stop it, and start another one."""
        with self._changed:
            if not self._moved:
                self._moved = True
                self._schedule.resumed(time.monotonic())
                self._changed.notify_all()

    def stop(self) -> None:
        """Beat no more, and wait (bounded) for a beat or a start that is on its way."""
        with self._changed:
            self._ended = True
            wait_s = START_WAIT_S if self._bill.start_unanswered else STOP_WAIT_S
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            while self._wait_until_due():
                (self._move if self._moved else self._beat)()
        finally:
            if not self._ended:  # a defect: without beats the session must not seem to go on
                self._over(BROKEN)

    def _wait_until_due(self) -> bool:
        with self._changed:
            while not self._ended:
                remaining = PAUSE_CHECK_S if self._is_waiting() else self._schedule.due_at - time.monotonic()
                if remaining <= 0:
                    return True
                self._changed.wait(remaining)
            return False

    def _is_waiting(self) -> bool:
        # A beat that failed is repeated: that is how a lost network is told from media that fail alone.
        held_back = self._held_back and not (self._asked or self._moved)
        return self._paused or (held_back and not self._schedule.failures)

    def _beat(self) -> None:
        timeout_s = max(1.0, min(BEAT_TIMEOUT_S, self._schedule.deadline - time.monotonic()))
        try:
            lease = self._playback.beat(self._session_id, self._schedule.seq, timeout_s)
        except ProblemError as problem:
            self._refused(problem)
        except UnreachableError as error:
            self._failed(error.retry_after_s)
        except CliError as error:  # the login is gone or expired: nothing more can be bought
            self._over(refused(error.format_message()))
        else:
            self._accept(lease)

    def _move(self) -> None:
        """Get back what the session has not served, and go on with another one, which is tied to where we are now."""
        try:
            totals = self._playback.stop(self._session_id, BEAT_TIMEOUT_S)
        except UnreachableError as error:
            self._failed(error.retry_after_s)
            return
        except ProblemError as problem:
            self._refused(problem)
            return
        except CliError as error:
            self._over(refused(error.format_message()))
            return
        self._bill.settle(self._session_id, totals.charged_millipoints, totals.watched_ms)
        self._bill.balance(totals.balance_millipoints)
        if totals.end_reason not in ("viewer_stopped", "lease_expired"):
            self._over(Ending.of_reason(totals.end_reason))
            return
        self._start_anew(MOVED)

    def _accept(self, lease: Lease) -> None:
        with self._changed:
            self._asked = False
            self._schedule.answered(lease, time.monotonic())
            if self._moved:
                self._schedule.hurry(time.monotonic())
            self._bill.charge(lease.session_id, lease.seq, lease.charged_millipoints)
            self._admit(lease)
        self._on_lease(lease)

    def _admit(self, lease: Lease) -> None:
        self._gate.issue(Ticket(self._base_url, lease.play_token))
        if not self._paused:
            self._gate.release()

    def _begin(self, lease: Lease) -> None:
        with self._changed:
            self._session_id = lease.session_id
            self._moved = False
            self._base_url = lease.play_url.rsplit("/", 1)[0]
            now = time.monotonic()
            self._restart_from = now + lease.lease_ms / 1000
            self._schedule = BeatSchedule(lease, now, random.random)
            self._bill.charge(lease.session_id, lease.seq, lease.charged_millipoints)
            self._admit(lease)

    def _refused(self, problem: ProblemError) -> None:
        if problem.status == 429:
            self._failed(problem.retry_after_s)
            return
        charged, watched_ms = (problem.fields.get(name) for name in ("charged_millipoints", "watched_ms"))
        self._bill.settle(self._session_id, charged, watched_ms)
        self._bill.balance(problem.fields.get("balance_millipoints"))
        if problem.end_reason == "lease_expired" or problem.status == 404:
            self._start_anew(NETWORK_LOST)
        elif problem.end_reason:
            self._over(Ending.of_reason(problem.end_reason))
        else:
            self._over(refused(problem.format_message()))

    def _start_anew(self, too_soon: Ending) -> None:
        """Take up a viewing whose session lapsed in a long pause or a suspended computer, or which is tied to another
        address, behind the same relay."""
        if time.monotonic() < self._restart_from:
            self._over(too_soon)  # in a session's first lease: starting again and again costs the viewer
            return
        points_left = self._bill.whole_points_left(self._wish.max_points)
        if points_left == 0:
            self._over(Ending.of_reason("max_points_reached"))
            return
        with self._changed:
            if self._ended:  # nobody would be there to stop it
                return
            self._bill.start_unanswered = True
        self._start(points_left)

    def _start(self, points: int | None) -> None:
        try:
            lease = start_session(self._playback, replace(self._wish, max_points=points))
        except StartUnansweredError:
            self._over(START_UNANSWERED)
            return
        except CliError as error:
            self._bill.start_unanswered = False
            self._over(ending_of_refused_start(error))
            return
        self._begin(lease)
        self._bill.start_unanswered = False
        self._on_lease(lease)

    def _failed(self, retry_after_s: float | None) -> None:
        now = time.monotonic()
        with self._changed:
            self._schedule.failed(now, retry_after_s)
        if self._schedule.lost(now):
            self._over(NETWORK_LOST)

    def _over(self, ending: Ending) -> None:
        with self._changed:
            self._ended = True
        self._gate.close()
        self._on_over(ending)


def ending_of_refused_start(error: CliError) -> Ending:
    """Return the ending for a session that could not be started again."""
    code = error.code if isinstance(error, ProblemError) else ""
    if error.end_reason or code in NOTHING_LEFT:
        return Ending.of_reason(error.end_reason or code)
    if code == "stream_not_live":
        return Ending.of_reason("stream_stopped")
    return refused(error.format_message())
