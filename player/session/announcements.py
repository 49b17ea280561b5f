"""What `play` shows on mpv's picture, and as lines in the terminal."""

import time

from player.mpv.process import MpvProcess
from player.session.charges import Charges
from player.session.playback_api import Lease
from player.session.start import PlayRequest
from player.session.waiting import Waiting
from player.terminal.formats import clock, points
from player.terminal.notices import (
    LAST_SHOW_S,
    LOW_SHOW_S,
    START_SHOW_S,
    WAIT_SHOW_S,
    LowNotices,
    debt_line,
    last_lease_notice,
    start_notice,
    top_up_line,
    waiting_notice,
)
from player.terminal.screen import Screen, Status


class Announcements:
    """The notices of one `play`. Each is shown once, also if the status is passed often."""

    def __init__(
        self, mpv: MpvProcess, screen: Screen, request: PlayRequest, charges: Charges, seconds_left: float | None
    ) -> None:
        self._mpv, self._screen, self._request, self._charges = mpv, screen, request, charges
        self._low_notices = LowNotices(seconds_left)
        self._is_start_shown = False
        self._is_last_shown = False
        self._waiting: Waiting | None = None
        self._shown = ""

    def show_start(self, status: Status) -> None:
        """Show title and price when the first picture comes."""
        if not self._is_start_shown:
            self._is_start_shown = True
            self._mpv.show(start_notice(status), START_SHOW_S)

    def show_money(self, status: Status, lease: Lease) -> None:
        """Show that little time is left, or that this lease is the last one."""
        notice = self._low_notices.due(status)
        if lease.is_final and lease.outcome != "unserved":
            if not self._is_last_shown:
                self._show_last(status, lease.top_up_url)
        elif notice:
            self._announce(f"Running out: {notice}", notice, lease.top_up_url, LOW_SHOW_S)
        self._is_last_shown = lease.is_final

    def show_wait(self, waiting: Waiting, is_paused: bool) -> None:
        """Show that the points are used up, until when the player waits for more, and that they have come."""
        funds, before, self._waiting = waiting.funds, self._waiting, waiting
        left_s = waiting.ends_at - time.monotonic()
        if waiting.is_over or waiting.is_refused:
            notice = _credit_notice(waiting, is_paused)
            if notice != self._shown:
                self._screen.note(notice)
        else:
            notice = waiting_notice(left_s, funds.debt_millipoints, funds.top_up_url)
            if before is None:
                self._note_wait(waiting, left_s)
            elif funds.debt_millipoints > before.funds.debt_millipoints:  # the settlement of the session
                self._screen.note(debt_line(funds.debt_millipoints))
        if notice != self._shown or waiting.is_refused:  # a text that does not count down is shown again
            self._mpv.show(notice, WAIT_SHOW_S)
        self._shown = notice

    def end_wait(self, status: Status) -> None:
        """Show that the picture goes on."""
        self._waiting, self._shown = None, ""
        self._mpv.show(start_notice(status), START_SHOW_S)

    def _show_last(self, status: Status, top_up_url: str | None) -> None:
        is_spent = self._charges.whole_points_left(self._request.max_points) == 0
        notice = last_lease_notice(status, is_daily_cap=not is_spent)
        self._announce(notice, notice, None if status.balance_millipoints else top_up_url, LAST_SHOW_S)

    def _announce(self, line: str, notice: str, top_up_url: str | None, seconds: float) -> None:
        more = f"\n{top_up_line(top_up_url)}" if top_up_url else ""
        self._mpv.show(notice + more, seconds)
        self._screen.note(line + more)

    def _note_wait(self, waiting: Waiting, left_s: float) -> None:
        funds = waiting.funds
        debt = f"{debt_line(funds.debt_millipoints)}\n" if funds.debt_millipoints else ""
        self._screen.note(
            f"Your points are used up. Waiting {clock(left_s + 0.5)} for more; nothing is bought meanwhile.\n"
            f"{debt}{top_up_line(funds.top_up_url)}"
        )


def _credit_notice(waiting: Waiting, is_paused: bool) -> str:
    advice = "End the pause to go on." if is_paused else "Going on."
    if waiting.is_refused:
        advice = "The start was refused; it is tried again."
    funds = waiting.funds
    debt = f", {points(funds.debt_millipoints)} of them for earlier viewing" if funds.debt_millipoints else ""
    return f"There are {points(funds.balance_millipoints)} now{debt}. {advice}"
