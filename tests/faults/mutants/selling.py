"""Known bugs of leases, ends, payments and the journal."""

from tests.faults.mutants.mutant import LEASE, LEDGER, OPENER, RECORDS, SCENARIOS, WALLETS, WRITES, Mutant, steps

LEASE_RULES = ("tests/unit/money/test_lease.py",)

MUTANTS_OF_SELLING = {
    "a start sells a lease in an outage that it could know": Mutant(
        OPENER,
        "if not self._delivery.status(record.stream_id).delivered:",
        "if False:",
        ("tests/contract/money/test_outage_credits.py",),
    ),
    "a seq is sold again": Mutant(WRITES, "ss.#s.q < :seq AND ss.#s.bf", "ss.#s.bf", steps("fault and repeated")),
    "the horizon is ignored": Mutant(WRITES, "ss.#s.bf <= :now AND ", "", steps("fault and early")),
    "a late beat is sold as on time": Mutant(WRITES, " AND ss.#s.pu >= :now", "", steps("fault and (grace or gap)")),
    "a beat is sold without money": Mutant(
        WRITES, "AND balance_millipoints >= ss.#s.c AND", "AND", steps("fault and (money or poor)")
    ),
    "a purchase ignores what changed since": Mutant(
        WRITES, 'COVERED = "balance_millipoints >= :charge AND ', 'COVERED = "', steps("between and grace")
    ),
    "a rest is sold though more came in": Mutant(
        WRITES, '        condition += f" AND {EXACT_REST}"', "        pass", steps("between and beat and poor")
    ),
    "an end refunds by an old state of the session": Mutant(
        WRITES,
        'expressions = (END, f"{AS_SEEN} AND size(j) < :cap")',
        'expressions = (END, "size(j) < :cap")',
        steps("between and stop and not (outage or places)"),
        also=((WRITES, "closing.refund_millipoints, **_as_seen(seen),", "closing.refund_millipoints,"),),
    ),
    "an end refunds as often as it is asked": Mutant(
        WRITES,
        'expressions = (END, f"{AS_SEEN} AND size(j) < :cap")',
        'expressions = (END, "size(j) < :cap")',
        steps("between and stop and not (outage or places)"),
        also=(
            (WRITES, "closing.refund_millipoints, **_as_seen(seen),", "closing.refund_millipoints,"),
            (RECORDS, " AND attribute_not_exists(end_reason)", ""),
        ),
    ),
    "the journal is trimmed before its page is written": Mutant(
        LEDGER,
        "        for entries in pages:\n            if state is None",
        """        if pages:
            self._wallets.trim(wallet.user_id, [entry.entry_id for entries in pages for entry in entries])
        for entries in pages:
            if state is None""",
        steps("death and adjustment"),
    ),
    "a ledger is read before its wallet": Mutant(
        LEDGER,
        """        wallet = self.wallet(user_id)
        before = wallet""",
        """        early = self._ledger.pages(user_id, up_to_version=10**9, limit=limit // PAGE_ENTRIES + 2)
        wallet = self.wallet(user_id)
        before = wallet""",
        steps("whole"),
        also=(
            (
                LEDGER,
                "pages = self._ledger.pages(user_id, up_to_version=before - 1, limit=limit // PAGE_ENTRIES + 2)",
                "pages = early",
            ),
        ),
    ),
    "a conflict is taken for success": Mutant(
        WALLETS,
        "if TRANSACTION_CONFLICT in refusal.codes:\n                raise WalletRefused(None) from None",
        "if TRANSACTION_CONFLICT in refusal.codes:\n                return",
        steps("fault and payment"),
    ),
    "a payment id is not checked": Mutant(
        WALLETS, '"ConditionExpression": "attribute_not_exists(payment_id)",', "", steps("fault and payment")
    ),
    "a payment without an answer is repeated with another id": Mutant(
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
        steps("fault and payment"),
    ),
    "a trim makes a wallet": Mutant(WALLETS, 'ConditionExpression="attribute_exists(user_id)",', "", SCENARIOS),
    "a journal has no cap": Mutant(
        "chalicelib/domain/money/wallets.py", "JOURNAL_ENTRIES_MAX = 24", "JOURNAL_ENTRIES_MAX = 240", SCENARIOS
    ),
    "a full journal is never moved": Mutant(
        LEDGER,
        "if len(wallet.journal) >= JOURNAL_ENTRIES_MAX:",
        "if len(wallet.journal) >= 10 * JOURNAL_ENTRIES_MAX:",
        SCENARIOS,
    ),
    "an ended session starts again": Mutant(
        RECORDS, '"ConditionExpression": "attribute_not_exists(session_id)",', "", SCENARIOS
    ),
    "a lapsed session continues": Mutant(
        LEASE, "LATE_MS_MAX = 600_000", "LATE_MS_MAX = 900_000", steps("fault and lapsed")
    ),
    "`final` is said one lease too soon": Mutant(
        LEASE,
        "available_millipoints(wallet, session, lease_end_ms) == 0",
        "available_millipoints(wallet, session, lease_end_ms) < session.charge_millipoints",
        LEASE_RULES,
    ),
    "`final` is said one lease too late": Mutant(
        LEASE,
        "available_millipoints(wallet, session, lease_end_ms) == 0",
        "now_ms >= session.paid_until_ms and available_millipoints(wallet, session, lease_end_ms) == 0",
        LEASE_RULES,
    ),
    "media is served long after the grace": Mutant(
        "chalicelib/services/access/access.py",
        "session.paid_until_ms + GRACE_MS",
        "session.paid_until_ms + 60_000",
        also=(("chalicelib/domain/access/tokens.py", "min(paid_until_ms + GRACE_MS", "min(paid_until_ms + 60_000"),),
    ),
    "starts at once exceed the limit": Mutant(
        WRITES, '":max": sessions_max,', '":max": 99,', steps("between and last and place")
    ),
}
