"""The heartbeat thread: it buys lease after lease while the viewer watches, and reports when the session is over."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from player.endings import BROKEN, MOVED, NETWORK_LOST, START_UNANSWERED, Ending, refused, without_wait
from player.errors import CliError, StartUnansweredError, UnreachableError
from player.http.client import ProblemError
from player.media.credentials import CredentialsProvider, MediaCredentials
from player.session.charges import Charges
from player.session.heartbeat_state import State
from player.session.playback_api import Funds, Lease, PlaybackApi, Totals, message_of
from player.session.schedule import HeartbeatSchedule
from player.session.start import START_S_MAX, PlayRequest, start_session
from player.session.start_errors import ending_of_refused_start
from player.session.waiting import TopUpWait, Waiting, is_worth_waiting

TIMEOUT_S = 5.0
STOP_WAIT_S = 2.0
# Longer than a start may take, so that a session bought at the last moment can be stopped.
START_WAIT_S = START_S_MAX + 1.0


class Heartbeat:
    """Sends the heartbeats of one `play`.

    That is one session, or several: a session that lapsed or is bound to another address is followed by a new one, and
    so is one whose points are used up, once more have come. `on_lease`, `on_over` and `on_wait` are called from the
    heartbeat thread and must return at once.
    """

    def __init__(
        self,
        api: PlaybackApi,
        request: PlayRequest,
        first: Lease,
        credentials: CredentialsProvider,
        charges: Charges,
        on_lease: Callable[[Lease], None],
        on_over: Callable[[Ending], None],
        on_wait: Callable[[Waiting], None],
    ) -> None:
        self._api, self._request, self._credentials, self._charges = api, request, credentials, charges
        self._on_lease, self._on_over, self._on_wait = on_lease, on_over, on_wait
        self._wait: TopUpWait | None = None
        self._changed = threading.Condition()
        self._state = State.SCHEDULED
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._use_session(first)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def pause(self) -> None:
        """Send no heartbeats and hold all media requests until `resume`."""
        with self._changed:
            self._state = self._state.paused()
            self._credentials.hold()

    def resume(self) -> None:
        """Send a heartbeat, then release the media requests. Does nothing unless paused."""
        with self._changed:
            if self._state.is_paused:
                self._set(self._state.resumed())
                self._schedule.resumed(time.monotonic())

    def set_media_failing(self, is_failing: bool) -> None:
        """While media requests fail, buy only the lease that `send_now` asks for."""
        with self._changed:
            if is_failing and self._state is State.SCHEDULED:
                self._set(State.ON_HOLD)
            elif not is_failing and self._state in (State.ON_HOLD, State.REQUESTED):
                self._set(State.SCHEDULED)

    def send_now(self) -> None:
        """Send a heartbeat at once: the gateway refused a request, and the answer brings a new token or the reason."""
        with self._changed:
            if self._state is State.ON_HOLD:
                self._set(State.REQUESTED)
                self._schedule.resumed(time.monotonic())
            else:
                self._schedule.hurry(time.monotonic())
                self._changed.notify_all()

    def restart(self) -> None:
        """Stop this session, which the gateway serves to another address, and start a new one."""
        with self._changed:
            if self._state is State.PAUSED:
                self._set(State.PAUSED_RESTARTING)
            elif self._state in (State.SCHEDULED, State.ON_HOLD, State.REQUESTED):
                self._set(State.RESTARTING)
                self._schedule.resumed(time.monotonic())

    def stop(self) -> None:
        """Send nothing more, and wait (bounded) for a heartbeat or a start that is in flight."""
        with self._changed:
            self._set(State.ENDED)
            wait_s = START_WAIT_S if self._charges.start_unanswered else STOP_WAIT_S
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def _set(self, state: State) -> None:
        self._state = state
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (state := self._wait_until_due()) is not State.ENDED:
                if state.is_waiting:
                    self._look_for_points()
                else:
                    (self._replace_session if state is State.RESTARTING else self._send)()
        finally:
            if self._state is not State.ENDED:  # a defect: without heartbeats the session must not seem to go on
                self._end(BROKEN)

    def _wait_until_due(self) -> State:
        with self._changed:
            while self._state is not State.ENDED:
                remaining_s = None if self._is_idle() else self._due_at() - time.monotonic()
                if remaining_s is not None and remaining_s <= 0:
                    break
                self._changed.wait(remaining_s)
            return self._state

    def _is_idle(self) -> bool:
        # A failed heartbeat is repeated: it distinguishes a lost network from media that fail alone.
        is_on_hold = self._state is State.ON_HOLD and not self._schedule.failures
        return is_on_hold or (self._state.is_paused and not self._state.is_waiting)

    def _due_at(self) -> float:
        return self._wait.due_at if self._wait and self._state.is_waiting else self._schedule.due_at

    def _send(self) -> None:
        timeout_s = max(1.0, min(TIMEOUT_S, self._schedule.deadline - time.monotonic()))
        try:
            lease = self._api.heartbeat(self._session_id, self._schedule.seq, timeout_s)
        except CliError as error:
            self._handle_failure(error)
        else:
            self._accept(lease)

    def _replace_session(self) -> None:
        """Stop the session for the refund of its unserved time, and start one that is bound to the current address.

        After a wait for points the session is over already.
        """
        if self._wait is not None:
            self._start_next(None)
            return
        try:
            totals = self._api.stop(self._session_id, TIMEOUT_S)
        except CliError as error:
            self._handle_failure(error)
            return
        self._charges.settle(self._session_id, totals)
        if totals.end_reason not in ("viewer_stopped", "lease_expired"):
            self._end(Ending.of_reason(totals.end_reason, totals.message))
            return
        self._start_next(MOVED)

    def _accept(self, lease: Lease) -> None:
        with self._changed:
            if self._state is State.REQUESTED:
                self._state = State.ON_HOLD
            self._schedule.answered(lease, time.monotonic())
            if self._state in (State.RESTARTING, State.PAUSED_RESTARTING):
                self._schedule.hurry(time.monotonic())
            self._use_lease(lease)
        self._on_lease(lease)

    def _use_lease(self, lease: Lease) -> None:
        self._charges.add(lease.session_id, lease.seq, lease.charged_millipoints)
        self._credentials.update(MediaCredentials(self._base_url, lease.play_token))
        if not self._state.is_paused:
            self._credentials.release()

    def _use_session(self, lease: Lease) -> None:
        with self._changed:
            self._wait = None
            if self._state is State.RESTARTING:
                self._state = State.SCHEDULED
            elif self._state is State.PAUSED_RESTARTING:
                self._state = State.PAUSED
            self._session_id = lease.session_id
            self._base_url = lease.play_url.rsplit("/", 1)[0]
            now = time.monotonic()
            self._restart_from = now + lease.lease_ms / 1000
            self._schedule = HeartbeatSchedule(lease, now, random.random)
            self._use_lease(lease)

    def _handle_failure(self, error: CliError) -> None:
        if isinstance(error, UnreachableError):
            self._retry(error.retry_after_s)
        elif isinstance(error, ProblemError):
            self._handle_problem(error)
        else:  # the login is missing or expired
            self._end(refused(error.format_message()))

    def _handle_problem(self, problem: ProblemError) -> None:
        if problem.status == 429:
            self._retry(problem.retry_after_s)
            return
        if totals := Totals.from_fields(problem.fields):
            self._charges.settle(self._session_id, totals)
        if problem.end_reason == "lease_expired" or problem.status == 404:
            self._start_next(NETWORK_LOST)
        elif problem.end_reason == "balance_exhausted" and self._may_wait():
            self._wait_for_points(problem)
        elif problem.end_reason:
            self._end(Ending.of_reason(problem.end_reason, message_of(problem.fields)))
        else:
            self._end(refused(problem.format_message()))

    def _may_wait(self) -> bool:
        has_points_left = self._charges.whole_points_left(self._request.max_points) != 0
        return self._request.wait_s is not None and has_points_left

    def _wait_for_points(self, problem: ProblemError) -> None:
        """Hold the media, so that mpv keeps its last picture, and look for points instead of buying.

        After a start that was refused, the wait that is going on continues.
        """
        wait_s = self._request.wait_s
        assert wait_s is not None
        with self._changed:
            if self._state is State.ENDED:
                return
            if self._wait is None:
                self._wait = TopUpWait(self._api, self._request.stream_id, wait_s, Funds.from_fields(problem.fields))
            else:
                self._wait.refuse(problem)
            self._state = State.PAUSED_WAITING if self._state.is_paused else State.WAITING
            self._credentials.hold()
        self._on_wait(self._wait.state)

    def _look_for_points(self) -> None:
        assert self._wait is not None
        if ending := self._wait.look():
            self._end(ending)
            return
        waiting = self._wait.state
        with self._changed:
            if waiting.is_over and self._state.is_waiting:
                self._state = State.PAUSED_RESTARTING if self._state.is_paused else State.RESTARTING
                self._schedule.resumed(time.monotonic())
        self._on_wait(waiting)

    def _start_next(self, too_soon: Ending | None) -> None:
        """Start the next session behind the same relay. Within the first lease of a session, end with `too_soon`.

        A session can lapse in a long pause or on a suspended computer.
        """
        if too_soon and time.monotonic() < self._restart_from:
            self._end(too_soon)  # repeated starts would cost the viewer a lease each
            return
        points_left = self._charges.whole_points_left(self._request.max_points)
        if points_left == 0:
            self._end(Ending.of_reason("max_points_reached"))
            return
        with self._changed:
            if self._state is State.ENDED:  # nothing would stop the new session
                return
            self._charges.start_unanswered = True
        try:
            lease = start_session(self._api, replace(self._request, max_points=points_left))
        except StartUnansweredError:
            self._end(START_UNANSWERED)
            return
        except CliError as error:
            self._charges.start_unanswered = False
            if self._may_wait() and is_worth_waiting(error, self._wait):
                self._wait_for_points(error)
            else:
                self._end(ending_of_refused_start(error))
            return
        self._use_session(lease)
        self._charges.start_unanswered = False
        self._on_lease(lease)

    def _retry(self, retry_after_s: float | None) -> None:
        now = time.monotonic()
        with self._changed:
            self._schedule.failed(now, retry_after_s)
        if self._schedule.is_lost(now):
            self._end(NETWORK_LOST)

    def _end(self, ending: Ending) -> None:
        with self._changed:
            self._state = State.ENDED
        self._credentials.close()
        self._on_over(ending if self._request.wait_s is None else without_wait(ending))
