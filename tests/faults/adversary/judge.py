"""What a viewer obtained and paid: media that arrived, against the ledger and the open debt."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.adversary.streams import RATE_MILLIPOINTS_PER_MINUTE
from tests.faults.adversary.viewer import Viewer
from tests.faults.harness.api_client import ApiClient

ADVERSARY_MAX = 1.25
HONEST_MIN, HONEST_MAX = 0.98, 1.05
MS_PER_MINUTE = 60_000
# Money that comes in and goes out again; all other entries are what watching cost.
PAYMENTS = ("credit", "reversal")
# A lapsed session ends ten minutes after its lease, and is settled within three minutes of its end.
SETTLED_S_MAX = 16 * 60.0
POLL_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """The result of a strategy. `distinct_s` counts media once over all sessions, for comparison.

    `unsettled` is None on a platform that settles nothing.
    """

    strategy: str
    stream_id: str
    is_honest: bool
    obtained_s: float
    distinct_s: float
    paid_s: float
    debt_s: float
    sessions: int
    unsettled: int | None

    @property
    def ratio(self) -> float:
        """Media seconds obtained per second paid."""
        if self.paid_s > 0:
            return self.obtained_s / self.paid_s
        return float("inf") if self.obtained_s else 0.0

    @property
    def is_fair(self) -> bool:
        """Whether the ratio is within the bounds. An honest viewer must have obtained something."""
        if self.unsettled:
            return False
        if self.is_honest:
            return HONEST_MIN <= self.ratio <= HONEST_MAX
        return self.ratio <= ADVERSARY_MAX


def judge(viewer: Viewer, strategy: str, *, is_honest: bool, unsettled: int | None) -> Row:
    """Return what a viewer obtained and paid by now."""
    with ApiClient(viewer.url, viewer.account) as client:
        debt = int(client.send("GET", "/me/wallet").document.get("debt_millipoints", 0))
        paid = debt - sum_of_entries(client)
    return Row(
        strategy=strategy,
        stream_id=viewer.stream_id,
        is_honest=is_honest,
        obtained_s=sum(viewer.received.by_session_ms().values()) / 1000,
        distinct_s=viewer.received.distinct_ms() / 1000,
        paid_s=_seconds(paid),
        debt_s=_seconds(debt),
        sessions=len(viewer.session_ids),
        unsettled=unsettled,
    )


def sum_of_entries(client: ApiClient) -> int:
    """Return the sum of all entries of the ledger but payments, in millipoints: leases are negative."""
    total, version = 0, 0
    while True:
        answer = client.send("GET", f"/me/ledger/export?after_version={version}")
        assert answer.status == 200, f"no statement: {answer}"
        lines = answer.document["lines"]
        total += sum(line["delta_millipoints"] for line in lines if line["kind"] not in PAYMENTS)
        if not lines or answer.document["next_after_version"] is None:
            return total
        version = answer.document["next_after_version"]


def settles(viewers: Sequence[Viewer]) -> bool:
    """Return whether this platform settles sessions after their end."""
    viewer = next(each for each in viewers if each.session_ids)
    return "settled_at_ms" in viewer.api("GET", f"/me/sessions/{viewer.session_ids[0]}").document


def unsettled(viewer: Viewer) -> list[str]:
    """Return the sessions of a viewer that are not settled, from the first one on."""
    with ApiClient(viewer.url, viewer.account) as client:
        for number, session_id in enumerate(viewer.session_ids):
            if client.send("GET", f"/me/sessions/{session_id}").document.get("settled_at_ms") is None:
                return viewer.session_ids[number:]
    return []


def await_settlements(viewers: Sequence[Viewer], seconds: float = SETTLED_S_MAX) -> dict[Viewer, int]:
    """Wait until all sessions are settled, at most so long. Return how many are left of each viewer."""
    deadline = time.monotonic() + seconds
    left = {viewer: len(viewer.session_ids) for viewer in viewers}
    while any(left.values()) and time.monotonic() < deadline:
        time.sleep(POLL_S)
        before = sum(left.values())
        left = {viewer: len(unsettled(viewer)) if count else 0 for viewer, count in left.items()}
        if sum(left.values()) != before:
            print(f"  not settled: {sum(left.values())} sessions", flush=True)
    return left


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| strategy | segments | obtained s | of it new s | paid s | ratio | sessions | debt s | fair |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --- |",
    ]
    for row in rows:
        verdict = "yes" if row.is_fair else f"no, {row.unsettled} not settled" if row.unsettled else "**no**"
        lines.append(
            f"| {row.strategy} | {row.stream_id} | {row.obtained_s:.1f} | {row.distinct_s:.1f} | {row.paid_s:.1f} |"
            f" {row.ratio:.2f} | {row.sessions} | {row.debt_s:.1f} | {verdict} |"
        )
    return "\n".join(lines)


def _seconds(millipoints: int) -> float:
    return millipoints * MS_PER_MINUTE / RATE_MILLIPOINTS_PER_MINUTE / 1000
