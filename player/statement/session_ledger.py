"""What a session cost, reckoned from its lines in the ledger and held against the server's own totals."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from player.auth.account import Account
from player.auth.paging import all_items
from player.errors import CliError
from player.outcome import ExitStatus

# A session may end between two requests; so often both are asked for again.
TRIES = 4


@dataclass(frozen=True)
class SessionBill:
    """A session as the server tells it, its ledger lines oldest first, and what they add up to. In millipoints."""

    session: dict[str, Any]
    lines: list[dict[str, Any]]

    @property
    def leases(self) -> int:
        """How many leases were bought."""
        return sum(line["kind"] == "lease" for line in self.lines)

    def sum_of(self, *kinds: str) -> int:
        """Return what the lines of these kinds changed the balance by."""
        return sum(int(line["delta_millipoints"]) for line in self.lines if line["kind"] in kinds)

    @property
    def net_millipoints(self) -> int:
        """What the session cost after everything that was given back or adjusted."""
        return -sum(int(line["delta_millipoints"]) for line in self.lines)

    @property
    def has_totals(self) -> bool:
        """Whether the server tells totals: of a session that is being watched it does not."""
        return self.session.get("charged_millipoints") is not None

    @property
    def differences(self) -> list[tuple[str, int, int]]:
        """Where the lines do not add up to the server's totals: which total, the lines' sum, the server's word."""
        # An adjustment comes after the end: the session's own total does not know it.
        reckoned = {
            "charged_millipoints": -self.sum_of("lease", "unserved", "refund", "outage_credit"),
            "refunded_millipoints": self.sum_of("refund"),
        }
        return [
            (name, ours, self.session[name])
            for name, ours in reckoned.items()
            if self.session.get(name) not in (None, ours)
        ]


def fetch_bill(account: Account, session_id: str | None) -> SessionBill:
    """Fetch the bill of a session, or of the latest. Raises CliError."""
    if session_id is None:
        session_id = _latest(account)
    path = f"/me/sessions/{quote(session_id, safe='')}"
    session = account.call("GET", path)
    for _ in range(TRIES):
        bill = SessionBill(session, all_items(account, f"{path}/ledger"))
        if not session["active"] and not bill.differences:
            break
        again = account.call("GET", path)
        if again == session:  # it has not ended meanwhile; a difference is a real one
            break
        session = again
    return bill


def _latest(account: Account) -> str:
    found = account.call("GET", "/me/sessions?limit=1")["items"]
    if not found:
        raise CliError("You have watched nothing yet.", "See what is on: player streams", ExitStatus.FAILED)
    return str(found[0]["session_id"])
