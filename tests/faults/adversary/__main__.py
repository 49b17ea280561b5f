"""Play strategies that try to watch more than they pay for, and judge each by what it obtained for a second paid.

Each strategy has a viewer of its own. All run side by side against the real gateway; the media come from real streams.
Obtained is the distinct media time of each session in the bytes that arrived at the client. Paid is the sum of the
ledger without payments, plus the open debt, after all sessions are settled. The status is 0 if every ratio is within
its bounds.
"""

import re
import sys

from tests.faults.adversary.catalogue import STRATEGIES, Strategy
from tests.faults.adversary.judge import table
from tests.faults.adversary.run import Play, judge_all, play_all
from tests.faults.adversary.settling import settle_now
from tests.faults.adversary.streams import await_window, live_streams
from tests.faults.harness.command_line import add_minutes, command_parser, print_start
from tests.faults.harness.private_stack import Operator, private_stack

SESSIONS_MAX = 3
# The length of the window before the first start, so that there is something to fetch ahead.
WINDOW_S = 60.0


def chosen(only: str | None) -> list[tuple[Strategy, str]]:
    """Return the strategies whose name matches `only`, each with each of its streams."""
    return [(each, stream) for each in STRATEGIES if re.search(only or "", each.name) for stream in each.streams]


def report(play: Play) -> str:
    counts = ", ".join(f"{what} {count}" for what, count in sorted(play.viewer.seen.items()))
    return f"{play.label}: {counts}" + (f"\nFAILED {play.failure}" if play.failure else "")


def main() -> int:
    parser = command_parser("make adversary", __doc__)
    add_minutes(parser, 10.0, least=0.2)
    parser.add_argument("--only", help="strategies whose name matches this regular expression")
    parser.add_argument("--settle-now", action="store_true", help="settle with a clock ahead instead of waiting")
    parser.add_argument("--list", action="store_true", help="print the strategies and do nothing")
    arguments = parser.parse_args()
    plan = chosen(arguments.only)
    if arguments.list or not plan:
        print("\n".join(f"{strategy.name} [{stream}]" for strategy, stream in plan))
        return 0 if plan else 2
    print_start(arguments.seed)
    streams = sorted({stream for _, stream in plan})
    # The streams stay live until all sessions are settled: a stop would end them all, which charges nothing.
    with (
        private_stack(SESSIONS_MAX) as stack,
        Operator(stack.url) as operator,
        live_streams(stack, operator, streams),
    ):
        for stream in streams:
            await_window(operator, stream, WINDOW_S)
        print(f"{len(plan)} strategies for {arguments.minutes:g} minutes", flush=True)
        plays = play_all(operator, plan, arguments.minutes * 60, arguments.seed)
        print("\n".join(map(report, plays)), flush=True)
        if arguments.settle_now:
            print(settle_now(stack), end="", flush=True)
        rows = judge_all(plays)
    print(table(rows), flush=True)
    failed = [play.label for play in plays if play.failure]
    return 1 if failed or not all(row.is_fair for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
