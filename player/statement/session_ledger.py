"""What a session cost by its lines in the ledger, compared with the server's totals."""

from dataclasses import dataclass
from typing import Any

from player.auth.account import Account
from player.auth.paging import all_items
from player.errors import CliError
from player.exit_status import ExitStatus
from player.http.paths import path_of

# A session may end or be settled between two requests; then both are repeated.
ATTEMPTS = 4
SETTLEMENT_KINDS = ("served_ahead", "unserved_credit")


@dataclass(frozen=True)
class SessionLedger:
    """A session as the server returns it, its ledger lines (oldest first), and their sums in millipoints."""

    session: dict[str, Any]
    lines: list[dict[str, Any]]

    @property
    def leases(self) -> int:
        """How many leases were bought."""
        return sum(line["kind"] == "lease" for line in self.lines)

    def sum_of(self, *kinds: str) -> int:
        """Return the sum of the lines of these kinds."""
        return sum(int(line["delta_millipoints"]) for line in self.lines if line["kind"] in kinds)

    @property
    def net_millipoints(self) -> int:
        """What the session cost after refunds, credits and adjustments."""
        return -sum(int(line["delta_millipoints"]) for line in self.lines)

    @property
    def has_totals(self) -> bool:
        """Whether the server returned totals. An active session has none."""
        return self.session.get("charged_millipoints") is not None

    @property
    def differences(self) -> list[tuple[str, int, int]]:
        """The totals that do not match the lines: name, sum of the lines, and the server's value."""
        # The session's total includes its settlement, and no adjustments.
        sums = {
            "charged_millipoints": -self.sum_of("lease", "unserved", "refund", "outage_credit", *SETTLEMENT_KINDS),
            "refunded_millipoints": self.sum_of("refund"),
        }
        return [
            (name, millipoints, self.session[name])
            for name, millipoints in sums.items()
            if self.session.get(name) not in (None, millipoints)
        ]


def fetch_session_ledger(account: Account, session_id: str | None) -> SessionLedger:
    """Fetch the ledger of a session, or of the latest one. Raise CliError."""
    if session_id is None:
        session_id = _latest(account)
    path = path_of("me", "sessions", session_id)
    session = account.call("GET", path)
    for _ in range(ATTEMPTS):
        ledger = SessionLedger(session, all_items(account, f"{path}/ledger"))
        if not session["active"] and not ledger.differences:
            break
        current = account.call("GET", path)
        if current == session:  # nothing changed meanwhile, so a difference is a real one
            break
        session = current
    return ledger


def _latest(account: Account) -> str:
    sessions = account.call("GET", "/me/sessions?limit=1")["items"]
    if not sessions:
        raise CliError("You have watched nothing yet.", "See what is on: player streams", ExitStatus.FAILED)
    return str(sessions[0]["session_id"])
