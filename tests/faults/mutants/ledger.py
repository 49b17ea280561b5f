"""Known bugs of outages, daily caps, keys, places, adjustments and the hash chain."""

from tests.faults.mutants.mutant import (
    BILLING,
    PLACES,
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

MUTANTS_OF_LEDGER = {
    "an outage is credited twice": Mutant(
        WRITES,
        'ss.#s.pu = :seen_until AND ss.#s.os = :seen_outage"',
        'ss.#s.pu = :seen_until"',
        steps("between and early and outage"),
        also=((WRITES, ', ":seen_outage": seen.outage_ms}', "}"),),
    ),
    "a paid beat ignores an outage that is not credited": Mutant(
        WRITES,
        "ss.#s.pu >= :now AND ss.#s.os = :outage AND dd",
        "ss.#s.pu >= :now AND dd",
        steps("between and after and outage"),
        also=((WRITES, '        ":outage": beat.outage_ms,\n', ""),),
    ),
    "an outage is not given back to the day": Mutant(
        WRITES,
        "balance_millipoints + :delta, dl = dl + :delta, jd.#e = :delta,\n",
        "balance_millipoints + :delta, jd.#e = :delta,\n",
        steps("fault and outage"),
    ),
    "the daily cap is not asked for on time": Mutant(WRITES, " AND dl >= ss.#s.c", "", steps("fault and cap")),
    "a new day begins with what yesterday left": Mutant(
        WALLETS, '"SET dd = :day, dl = dc"', '"SET dd = :day"', SCENARIOS
    ),
    "a new day begins at every beat": Mutant(
        WALLETS,
        '"dd < :day"',
        '"dd <= :day"',
        steps("fault and cap"),
        also=(
            (
                BILLING,
                "            newest = newest_outage_ms(status.outages)\n",
                """            newest = newest_outage_ms(status.outages)
            self._wallets.begin_day(user_id, utc_day(now_ms))
""",
            ),
        ),
    ),
    "an idempotency key is ignored": Mutant(
        "chalicelib/services/access/playback.py",
        "session_id_of(user_id, idempotency_key) if idempotency_key else new_session_id(user_id)",
        "new_session_id(user_id)",
        steps("fault and start"),
    ),
    "a start that was made is refused": Mutant(
        "chalicelib/services/money/session_opener.py", "if attempt:", "if attempt > 99:", steps("made")
    ),
    "a place is not given back": Mutant(
        WALLETS,
        "place = [give_place(self._limits, seen.stream_id)] if seen.counted else []",
        "place: list[dict[str, Any]] = []",
        steps("places"),
    ),
    "a stream lets in one more than its places": Mutant(
        PLACES, "taken < :max", "taken <= :max", steps("between and places")
    ),
    "an adjustment is counted twice": Mutant(
        RECORDS,
        '":one": 1,\n                    ":given"',
        '":one": 2,\n                    ":given"',
        steps("fault and session"),
    ),
    "an adjustment gives back more than the session cost": Mutant(
        RECORDS,
        ' AND charged_millipoints = :charged"\n            " AND adjusted_millipoints BETWEEN :least AND :most",',
        '",',
        SCENARIOS,
        also=((RECORDS, BOUNDS_OF_ADJUSTMENTS, ""),),
    ),
    "what may be adjusted is asked for before it is adjusted": Mutant(
        RECORDS,
        ' AND charged_millipoints = :charged"\n            " AND adjusted_millipoints BETWEEN :least AND :most",',
        '",',
        SCENARIOS,
        also=(
            (RECORDS, BOUNDS_OF_ADJUSTMENTS, ""),
            (
                RECONCILIATION,
                "            try:\n                wallet = self._ledger.credit(",
                """            least, most = record.adjustable_millipoints
            if not least <= millipoints <= most:
                raise _out_of_bounds(record)
            try:
                wallet = self._ledger.credit(""",
            ),
        ),
    ),
}
