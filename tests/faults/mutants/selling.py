"""Known bugs of leases, ends, payments and the journal."""

from tests.faults.mutants.mutant import (
    LEASE,
    LEDGER,
    RECORDS,
    SCENARIOS,
    WALLETS,
    WRITES,
    Mutant,
    steps,
)

MUTANTS_OF_SELLING = (
    Mutant(
        "a seq is sold again",
        WRITES,
        "ss.#s.q < :seq AND ss.#s.bf",
        "ss.#s.bf",
        tests=steps("fault and repeated"),
    ),
    Mutant(
        "the horizon is ignored",
        WRITES,
        "ss.#s.bf <= :now AND ",
        "",
        tests=steps("fault and early"),
    ),
    Mutant(
        "a late beat is sold as on time", WRITES, " AND ss.#s.pu >= :now", "", tests=steps("fault and (grace or gap)")
    ),
    Mutant(
        "a beat is sold without money",
        WRITES,
        "AND balance_millipoints >= ss.#s.c AND",
        "AND",
        tests=steps("fault and (money or poor)"),
    ),
    Mutant(
        "a purchase ignores what changed since",
        WRITES,
        'COVERED = "balance_millipoints >= :charge AND ',
        'COVERED = "',
        tests=steps("between and grace"),
    ),
    Mutant(
        "a rest is sold though more came in",
        WRITES,
        '        condition += f" AND {EXACT_REST}"',
        "        pass",
        tests=steps("between and beat and poor"),
    ),
    Mutant(
        "an end refunds by an old state of the session",
        WRITES,
        'expressions = (END, f"{AS_SEEN} AND size(j) < :cap")',
        'expressions = (END, "size(j) < :cap")',
        also=((WRITES, "settlement.refund_millipoints, **_as_seen(seen),", "settlement.refund_millipoints,"),),
        tests=steps("between and stop and not (outage or places)"),
    ),
    Mutant(
        "an end refunds as often as it is asked",
        WRITES,
        'expressions = (END, f"{AS_SEEN} AND size(j) < :cap")',
        'expressions = (END, "size(j) < :cap")',
        also=(
            (WRITES, "settlement.refund_millipoints, **_as_seen(seen),", "settlement.refund_millipoints,"),
            (RECORDS, " AND attribute_not_exists(end_reason)", ""),
        ),
        tests=steps("between and stop and not (outage or places)"),
    ),
    Mutant(
        "the journal is trimmed before its page is written",
        LEDGER,
        "        for entries in pages:\n            if state is None",
        """        if pages:
            self._wallets.trim(wallet.user_id, [entry.entry_id for entries in pages for entry in entries])
        for entries in pages:
            if state is None""",
        tests=steps("death and adjustment"),
    ),
    Mutant(
        "a ledger is read before its wallet",
        LEDGER,
        """        wallet = self.wallet(user_id)
        before = wallet""",
        """        early = self._ledger.pages(user_id, up_to_version=10**9, limit=limit // PAGE_ENTRIES + 2)
        wallet = self.wallet(user_id)
        before = wallet""",
        also=(
            (
                LEDGER,
                "pages = self._ledger.pages(user_id, up_to_version=before - 1, limit=limit // PAGE_ENTRIES + 2)",
                "pages = early",
            ),
        ),
        tests=steps("whole"),
    ),
    Mutant(
        "a conflict is taken for success",
        WALLETS,
        "if TRANSACTION_CONFLICT in refusal.codes:\n                raise WalletRefused(None) from None",
        "if TRANSACTION_CONFLICT in refusal.codes:\n                return",
        tests=steps("fault and payment"),
    ),
    Mutant(
        "a payment id is not checked",
        WALLETS,
        '                "ConditionExpression": "attribute_not_exists(payment_id)",\n',
        "",
        tests=steps("fault and payment"),
    ),
    Mutant(
        "a payment without an answer is repeated with another id",
        LEDGER,
        """                if not self._wallets.pay(payment, session):
                    self._check_same(payment)
""",
        """                try:
                    paid = self._wallets.pay(payment, session)
                except StoreUnavailable:
                    payment = Payment(**{**vars(payment), "payment_id": payment.payment_id + "-2"})
                    paid = self._wallets.pay(payment, session)
                if not paid:
                    self._check_same(payment)
""",
        tests=steps("fault and payment"),
    ),
    Mutant(
        "a trim makes a wallet",
        WALLETS,
        '                    ConditionExpression="attribute_exists(user_id)",\n',
        "",
        tests=SCENARIOS,
    ),
    Mutant(
        "a journal has no cap",
        "chalicelib/domain/money/wallets.py",
        "JOURNAL_ENTRIES_MAX = 24",
        "JOURNAL_ENTRIES_MAX = 240",
        tests=SCENARIOS,
    ),
    Mutant(
        "a full journal is never moved",
        LEDGER,
        "        if len(wallet.journal) >= JOURNAL_ENTRIES_MAX:\n",
        "        if len(wallet.journal) >= 10 * JOURNAL_ENTRIES_MAX:\n",
        tests=SCENARIOS,
    ),
    Mutant(
        "an ended session starts again",
        RECORDS,
        '            "ConditionExpression": "attribute_not_exists(session_id)",\n',
        "",
        tests=SCENARIOS,
    ),
    Mutant(
        "a lapsed session continues",
        LEASE,
        "LATE_MS_MAX = 600_000",
        "LATE_MS_MAX = 900_000",
        tests=steps("fault and lapsed"),
    ),
    Mutant(
        "media is served long after the grace",
        "chalicelib/services/access/access.py",
        "session.paid_until_ms + GRACE_MS",
        "session.paid_until_ms + 60_000",
        also=(("chalicelib/domain/access/tokens.py", "min(paid_until_ms + GRACE_MS", "min(paid_until_ms + 60_000"),),
    ),
    Mutant(
        "starts at once exceed the limit",
        WRITES,
        '":max": sessions_max,',
        '":max": 99,',
        tests=steps("between and last and place"),
    ),
)
