"""Known bugs of money totals, of edits at the same time, and of timelines."""

from tests.faults.mutants.mutant import OPENER, RECORDS, WALLETS, Mutant

TOTALS = "chalicelib/domain/money/totals.py"
RESULTS = "chalicelib/adapters/money/dynamodb_reconciliation.py"
STREAMS = "chalicelib/services/streams/streams.py"
ACCOUNTS = "chalicelib/services/accounts/accounts.py"
VERSIONS = "chalicelib/domain/versions.py"
TIMELINE = "chalicelib/services/accounts/timeline.py"

SUMS = ("tests/contract/money/test_totals.py",)
SUMS_OVER_HTTP = ("tests/http/money/test_totals.py",)
SUM_RULES = ("tests/unit/money/test_totals.py",)
AT_ONCE = ("tests/unit/test_edits_at_once.py",)
RULES = ("tests/unit/test_versions.py",)
EVENTS = ("tests/contract/accounts/test_timeline.py",)

MUTANTS_OF_VERSIONS = {
    "totals: a later result of a session counts as a whole": Mutant(
        RESULTS, "totals_of_session(row).minus(counted)", "totals_of_session(row)", SUMS
    ),
    "totals: a payment that is sent twice counts twice": Mutant(
        WALLETS,
        "            if refusal.part == 1:\n                return False\n",
        "            if refusal.part == 1:\n                transact(*totals)\n                return False\n",
        SUMS,
    ),
    "totals: an adjustment counts as a payment, too": Mutant(
        TOTALS, "if payment.session_id is not None or is_canary", "if is_canary", SUM_RULES
    ),
    "totals: an adjusted session is not reconciled again by itself": Mutant(
        RECORDS,
        "if_not_exists(reconcile_at_ms, :now) + :one",
        "if_not_exists(reconcile_at_ms, :now)",
        ("tests/contract/money/test_reconciliations.py",),
    ),
    "totals: a start forgets which debt it paid": Mutant(
        OPENER, ", debt_payment_millipoints=debt)", ")", SUMS_OVER_HTTP
    ),
    "versions: a command that is overtaken goes on": Mutant(
        STREAMS,
        "            check_stream_version(seen, expected)\n            new = self._changed(seen, changes(seen))\n",
        "            new = self._changed(seen, changes(seen))\n",
        AT_ONCE,
    ),
    "versions: an edit that is overtaken goes on": Mutant(
        STREAMS,
        "            seen = self.get(stream_id)\n            check_stream_version(seen, expected)\n",
        "            seen = self.get(stream_id)\n",
        AT_ONCE,
    ),
    "versions: an account is edited whatever happened meanwhile": Mutant(
        ACCOUNTS, "version=None if expected is None else seen.version", "version=None", AT_ONCE
    ),
    "versions: the newest value of a field stands for the seen one": Mutant(
        VERSIONS, "for each in reversed(since) for name", "for each in since for name", RULES
    ),
    "timeline: events of one moment get lost between pages": Mutant(
        TIMELINE, "if is_all or event.at_ms > found[-1].at_ms", "if is_all or event", EVENTS
    ),
    "timeline: a page repeats the last event": Mutant(TIMELINE, "event.place < after", "event.place <= after", EVENTS),
}
