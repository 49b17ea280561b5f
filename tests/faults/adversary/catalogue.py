"""All strategies, and the streams that each is played on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.faults.adversary import honest, leases, loops, real_player, slow_reading, transfers
from tests.faults.adversary.viewer import PLENTY_MILLIPOINTS, Viewer

EACH = ("1s", "2s", "6s", "10s", "copied")


@dataclass(frozen=True)
class Strategy:
    """A way to watch. With `is_limited` the client keeps production's limit of starts."""

    name: str
    play: Callable[[Viewer], None]
    streams: tuple[str, ...]
    is_honest: bool = False
    is_limited: bool = True
    millipoints: int = PLENTY_MILLIPOINTS


unlimited = partial(Strategy, is_limited=False)
AT_ONCE = partial(loops.start_and_stop, hold_s=0.3)
# No more than are sent without a delay, so that the next start follows at once.
FEW_AT_ONCE = partial(loops.start_and_stop, hold_s=0.3, newest=4)
EVERY_2_S = partial(loops.start_and_stop, hold_s=2.0)
STRATEGIES = (
    Strategy("start and stop at once", AT_ONCE, EACH),
    unlimited("start and stop at once, unlimited starts", FEW_AT_ONCE, ("2s",)),
    Strategy("start and stop every 2 s", EVERY_2_S, ("2s", "10s")),
    unlimited("start and stop every 2 s, unlimited starts", EVERY_2_S, ("2s", "6s")),
    Strategy("fetch ahead and stop", loops.fetch_and_stop, EACH),
    Strategy("fetch ahead and lapse", loops.fetch_and_lapse, EACH),
    Strategy("never beat", loops.never_beat, ("2s", "10s")),
    Strategy("renew without beating", leases.renew_only, ("2s",)),
    Strategy("replay old beats", leases.replayed_beats, ("6s",)),
    Strategy("seek over the window, paying", leases.seek_over_the_window, ("1s", "10s")),
    Strategy("beat after the grace", leases.beat_after_the_grace, ("2s", "6s")),
    Strategy("pause and resume", leases.pause_and_resume, ("2s",)),
    Strategy("two sessions at once", leases.two_sessions, ("2s",)),
    Strategy("empty wallet and debt", leases.empty_wallet, ("2s", "10s"), millipoints=1_000),
    Strategy("tiny max_points", loops.tiny_max_points, ("2s", "10s")),
    Strategy("replace in a loop", loops.replace_in_a_loop, ("6s",)),
    unlimited("replace in a loop, unlimited starts", loops.replace_in_a_loop, ("2s",)),
    Strategy("old token after the end", loops.old_token, ("6s",)),
    Strategy("log out while fetching", loops.log_out, ("6s",)),
    Strategy("16 segments at once", loops.parallel, ("1s", "copied")),
    Strategy("break off each transfer", transfers.break_off, ("6s", "copied")),
    Strategy("several ranges in a request", transfers.several_ranges_at_once, ("2s", "copied")),
    Strategy("many small ranges", transfers.many_small_ranges, ("copied",)),
    Strategy("two halves", transfers.two_halves, ("6s",)),
    Strategy("overlapping ranges", transfers.overlapping_ranges, ("10s",)),
    Strategy("switch renditions", transfers.switch_renditions, ("2s",)),
    Strategy("many user agents", transfers.many_user_agents, ("2s",)),
    Strategy("read on after the settlement", slow_reading.read_slowly, ("copied",)),
    Strategy("odd user agents", transfers.odd_user_agents, ("2s",)),
    Strategy("odd paths", transfers.odd_paths, ("2s",)),
    Strategy("lower the daily cap", leases.lower_the_cap, ("2s",)),
    Strategy("honest client", honest.watch, EACH, is_honest=True),
    Strategy("honest client, short sessions", honest.look_through, ("2s", "6s"), is_honest=True),
    Strategy("honest player with mpv", real_player.watch, ("2s", "10s"), is_honest=True),
)
