"""Known bugs of reversals and service keys."""

from tests.faults.mutants.mutant import LEDGER, WALLETS, WRITES, Mutant, steps

KEYS = "chalicelib/domain/access/service_keys.py"
KEY_SERVICE = "chalicelib/services/access/service_keys.py"
RULES = "chalicelib/domain/money/wallets.py"

BY_CONTRACT = ("tests/contract/money/test_reversals.py",)
BY_CLOCK = ("tests/unit/access/test_service_keys.py",)
OVER_HTTP = ("tests/http/money/test_payments.py",)
EACH_ROUTE = ("tests/http/accounts/test_service_keys.py",)

ANY_BALANCE = (
    (
        WRITES,
        "attribute_exists(user_id) AND balance_millipoints >= :taken AND size(j)",
        "attribute_exists(user_id) AND size(j)",
    ),
    (WRITES, '":taken": taken, ', ""),
)

MUTANTS_OF_PAYMENTS = {
    "payments: a reversal takes a balance below zero": Mutant(
        RULES,
        "taken = min(payment.millipoints, balance_millipoints)",
        "taken = payment.millipoints",
        steps("fault and reversal"),
        also=ANY_BALANCE,
    ),
    "payments: a reversal of the rest misses a refund in between": Mutant(
        WRITES, '" AND balance_millipoints = :taken"', '""', BY_CONTRACT
    ),
    "payments: a reversal is counted twice": Mutant(
        WALLETS,
        "attribute_exists(payment_id) AND attribute_not_exists(reversed_at_ms)",
        "attribute_exists(payment_id)",
        steps("between and reversal"),
        also=(
            (LEDGER, "        if payment.reversed_at_ms is not None:\n", "        if payment.reversed_at_ms == 0:\n"),
        ),
    ),
    "payments: a reversal counts as spending": Mutant(
        WRITES, "(PAY, condition), {}", '(PAY + ", dl = dl + :delta", condition), {}', BY_CONTRACT
    ),
    "payments: a key reverses what another caller paid": Mutant(
        "chalicelib/services/accounts/chargebacks.py",
        "if by.is_key and payment.by_user_id != by.user_id:",
        "if by.is_key and not payment.by_user_id:",
        OVER_HTTP,
    ),
    "payments: a key removes points": Mutant(
        "chalicelib/services/money/payments.py",
        'if by.is_key and points["millipoints"] < 1:',
        'if by.is_key and points["millipoints"] == 0:',
        OVER_HTTP,
    ),
    "payments: another source is not noticed": Mutant(
        LEDGER, '"session_id", "source", "note")', '"session_id", "note")', OVER_HTTP
    ),
    "payments: a key's scope is ignored": Mutant(
        KEY_SERVICE, "if scope not in key.scopes:", "if not key.scopes:", EACH_ROUTE
    ),
    "payments: a key reaches routes without a scope": Mutant(
        KEY_SERVICE,
        "        if scope is None:\n            raise KeyScope",
        "        if scope is None and not key.scopes:\n            raise KeyScope",
        EACH_ROUTE,
        also=((KEY_SERVICE, "if scope not in key.scopes:", "if scope and scope not in key.scopes:"),),
    ),
    "payments: a revoked key is accepted": Mutant(
        KEYS, "if self.revoked_at_ms is not None:", "if self.revoked_at_ms == 0:", EACH_ROUTE
    ),
    "payments: an expired key is accepted": Mutant(
        KEYS, "        if now_ms >= self.expires_at_ms:", "        if now_ms < 0:", EACH_ROUTE
    ),
    "payments: an old secret is accepted after its overlap": Mutant(
        KEYS, "(each.until_ms is None or now_ms < each.until_ms)", "bool(each)", BY_CLOCK
    ),
}
