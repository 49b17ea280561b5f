"""Known bugs of the metrics, error counts and logs."""

from tests.faults.mutants.mutant import Mutant

TOTALS = "chalicelib/domain/operations/totals.py"
COUNTERS = "chalicelib/adapters/operations/dynamodb_counters.py"
ERRORS = "chalicelib/adapters/operations/dynamodb_errors.py"
RECONCILIATION = "chalicelib/services/money/reconciliation.py"
EXPORTER = "chalicelib/services/operations/exporter.py"
OBSERVABILITY = "chalicelib/observability.py"
FOLLOWER = "gateway/usage/follower.py"

AT_COUNTERS = ("tests/contract/operations/test_counters.py",)
AT_ERRORS = ("tests/contract/operations/test_errors.py",)
AT_EXPOSITION = ("tests/unit/operations/test_exposition.py",)
AT_OBSERVABILITY = ("tests/unit/operations/test_observability.py",)
AT_CUT_OFFS = ("tests/integration/gateway/usage/test_cut_offs.py",)
AT_FOLLOWER = ("tests/unit/gateway/test_usage_follower.py",)

AT_CANARY = ("tests/http/operations/test_canary.py",)

MUTANTS_OF_METRICS = {
    "metrics: the canary's spending is business": Mutant(
        "chalicelib/services/money/spending.py", "if not is_canary(user_id):", "if user_id:", AT_CANARY
    ),
    "metrics: the canary's payments are in the money totals": Mutant(
        "chalicelib/domain/money/totals.py", " or is_canary(payment.user_id):", ":", AT_CANARY
    ),
    "metrics: the canary is an active session": Mutant(
        "chalicelib/adapters/money/dynamodb_sessions.py",
        '"NOT begins_with(user_id, :canary)"',
        '"NOT begins_with(session_id, :canary)"',
        AT_CANARY,
    ),
    "metrics: the canary takes a viewer's place": Mutant(
        "chalicelib/services/access/playback.py",
        "0 if is_canary(user_id) else stream.viewers_max",
        "stream.viewers_max",
        AT_CANARY,
    ),
    "metrics: the canary's key kicks everyone": Mutant(
        "chalicelib/services/access/kicks.py",
        "            if not is_canary(record.user_id):",
        "            if not session_id:",
        AT_CANARY,
    ),
    "metrics: the canary is watching": Mutant(
        "gateway/usage/aggregator.py", " if not is_canary(key))", ")", ("tests/unit/gateway/test_recent_fetches.py",)
    ),
    "metrics: the canary is in a stream's series": Mutant(
        "chalicelib/services/operations/sampler.py",
        " if not is_canary(each.user_id)]",
        "]",
        ("tests/unit/operations/test_sampler.py",),
    ),
    "metrics: points that are given back lower a total": Mutant(
        TOTALS, "    if amount >= 0:", "    if True:", AT_COUNTERS
    ),
    "metrics: a written total is written again": Mutant(
        COUNTERS, "            del self._rises[group]\n", "", AT_COUNTERS
    ),
    "metrics: a total that was not written is forgotten": Mutant(
        COUNTERS,
        "self._rises[group])\n            del self._rises[group]",
        "self._rises.pop(group))",
        AT_COUNTERS,
    ),
    "metrics: all totals are in one row": Mutant(TOTALS, 'return group if dot else ""', 'return ""', AT_COUNTERS),
    "metrics: a batch is in the totals without its number": Mutant(
        FOLLOWER,
        '            counters = {**counters, (TOTALS_MINUTE, ""): totals}\n',
        '            self._usage.count(TOTALS_MINUTE, "", totals, follower="all", batch=self._now_ms())\n',
        AT_FOLLOWER,
    ),
    "metrics: a cut-off time counts at each reconciliation": Mutant(
        RECONCILIATION, " and (before is None or before.cut_off_ms is None)", "", AT_CUT_OFFS
    ),
    "metrics: every stream has a label": Mutant(EXPORTER, "ids[: names.LABELLED_STREAMS_MAX]", "ids[:]", AT_EXPOSITION),
    "metrics: a lost worker's report is a rate": Mutant(
        EXPORTER, "[each for each in runtimes if each.is_claimed(now_ms)]", "runtimes", AT_EXPOSITION
    ),
    "metrics: a store that fails fails them all": Mutant(
        EXPORTER, "except StoreUnavailable:", "except ZeroDivisionError:", AT_EXPOSITION
    ),
    "metrics: an error's first time is its last": Mutant(
        ERRORS, "if_not_exists(#first_at_ms, :first)", ":first", AT_ERRORS
    ),
    "metrics: a request's values stay in the log": Mutant(
        OBSERVABILITY,
        "token = _of_request.set(values)",
        "token = _of_request.set({**(_of_request.get() or {}), **values})",
        AT_OBSERVABILITY,
        also=((OBSERVABILITY, "        _of_request.reset(token)", "        pass"),),
    ),
}
