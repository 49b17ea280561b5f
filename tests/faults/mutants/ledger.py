"""Known bugs of outages, daily caps, keys, places, adjustments and the hash chain."""

from tests.faults.mutants.mutant import (
    BILLING,
    PLACES,
    PLAYBACK,
    RECONCILIATION,
    RECORDS,
    SCENARIOS,
    WALLETS,
    WRITES,
    Mutant,
    steps,
)

BOUNDS_OF_ADJUSTMENTS = """
                    ":charged": charged,
                    ":least": -millipoints,
                    ":most": charged - millipoints,"""

MUTANTS_OF_LEDGER = (
    Mutant(
        "an outage is credited twice",
        WRITES,
        'ss.#s.pu = :seen_until AND ss.#s.os = :seen_outage"',
        'ss.#s.pu = :seen_until"',
        also=((WRITES, ', ":seen_outage": seen.outage_ms}', "}"),),
        tests=steps("between and early and outage"),
    ),
    Mutant(
        "a paid beat ignores an outage that is not credited",
        WRITES,
        "ss.#s.pu >= :now AND ss.#s.os = :outage AND dd",
        "ss.#s.pu >= :now AND dd",
        also=((WRITES, '        ":outage": beat.outage_ms,\n', ""),),
        tests=steps("between and after and outage"),
    ),
    Mutant(
        "an outage is not given back to the day",
        WRITES,
        "balance_millipoints + :delta, dl = dl + :delta, jd.#e = :delta,\n",
        "balance_millipoints + :delta, jd.#e = :delta,\n",
        tests=steps("fault and outage"),
    ),
    Mutant(
        "the daily cap is not asked for on time",
        WRITES,
        " AND dl >= ss.#s.c",
        "",
        tests=steps("fault and cap"),
    ),
    Mutant(
        "a new day begins with what yesterday left",
        WALLETS,
        '"SET dd = :day, dl = dc"',
        '"SET dd = :day"',
        tests=SCENARIOS,
    ),
    Mutant(
        "a new day begins at every beat",
        WALLETS,
        '"dd < :day"',
        '"dd <= :day"',
        also=(
            (
                BILLING,
                "            newest = newest_outage_ms(status.outages)\n",
                """            newest = newest_outage_ms(status.outages)
            self._wallets.begin_day(user_id, utc_day(now_ms))
""",
            ),
        ),
        tests=steps("fault and cap"),
    ),
    Mutant(
        "an idempotency key is ignored",
        PLAYBACK,
        "session_id_of(user_id, idempotency_key) if idempotency_key else new_session_id()",
        "new_session_id()",
        tests=steps("fault and start"),
    ),
    Mutant(
        "a start that was made is refused",
        "chalicelib/services/money/session_opener.py",
        "            if attempt:\n",
        "            if attempt > 99:\n",
        tests=steps("made"),
    ),
    Mutant(
        "a place is not given back",
        WALLETS,
        "place = [give_place(self._limits, seen.stream_id)] if seen.counted else []",
        "place: list[dict[str, Any]] = []",
        tests=steps("places"),
    ),
    Mutant(
        "a stream lets in one more than its places",
        PLACES,
        "taken < :max",
        "taken <= :max",
        tests=steps("between and places"),
    ),
    Mutant(
        "an adjustment is counted twice",
        RECORDS,
        '":one": 1,\n                    ":given"',
        '":one": 2,\n                    ":given"',
        tests=steps("fault and session"),
    ),
    Mutant(
        "an adjustment gives back more than the session cost",
        RECORDS,
        ' AND charged_millipoints = :charged"\n            " AND adjusted_millipoints BETWEEN :least AND :most",',
        '",',
        also=((RECORDS, BOUNDS_OF_ADJUSTMENTS, ""),),
        tests=SCENARIOS,
    ),
    Mutant(
        "what may be adjusted is asked for before it is adjusted",
        RECORDS,
        ' AND charged_millipoints = :charged"\n            " AND adjusted_millipoints BETWEEN :least AND :most",',
        '",',
        also=(
            (RECORDS, BOUNDS_OF_ADJUSTMENTS, ""),
            (
                RECONCILIATION,
                "        try:\n            wallet = self._ledger.credit(",
                """        least, most = record.adjustable_millipoints
        if not least <= millipoints <= most:
            raise _out_of_bounds(record)
        try:
            wallet = self._ledger.credit(""",
            ),
        ),
        tests=SCENARIOS,
    ),
)
