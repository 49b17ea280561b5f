"""The invariants of leases, ends and payments."""

from collections import Counter
from collections.abc import Iterator

from chalicelib.domain.ids import session_id_of
from tests.faults.harness.environment import SKEW_MS
from tests.faults.harness.operations import (
    Crash,
    EndAnswer,
    LeaseAnswer,
    LedgerAnswer,
    MediaAnswer,
    Operation,
    PaymentAnswer,
    Refusal,
    UnknownOutcome,
    ended_session,
)
from tests.faults.oracle.registry import Case, invariant
from tests.faults.oracle.replay import GRACE_MS, HORIZON_MS_MAX

JOURNAL_MAX = 30
# As the environment of the tests sets it.
SESSIONS_MAX = 3


@invariant
def a_balance_is_never_below_zero(case: Case) -> Iterator[str]:
    for version, balance in case.replayed.balance_after.items():
        if balance < 0:
            yield f"{balance} after version {version}"
    if case.view.wallet.balance_millipoints < 0:
        yield f"the wallet holds {case.view.wallet.balance_millipoints}"
    for operation in case.viewer.operations:
        if isinstance(operation.answer, LeaseAnswer | PaymentAnswer) and operation.answer.balance < 0:
            yield f"a {operation.kind} was answered with {operation.answer.balance}"


@invariant
def the_balance_is_the_sum_of_the_ledger(case: Case) -> Iterator[str]:
    """Each version from 1 on exists once, and the deltas add up to the balance."""
    wallet = case.view.wallet
    versions = [entry.version for entry in case.view.entries]
    if versions != list(range(1, wallet.version + 1)):
        yield f"the wallet is at version {wallet.version}, the ledger has {versions}"
    if case.replayed.balance != wallet.balance_millipoints:
        yield f"the wallet holds {wallet.balance_millipoints}, the ledger makes {case.replayed.balance}"


@invariant
def a_ledger_read_while_it_moves_is_whole(case: Case) -> Iterator[str]:
    """A ledger that was read during the run has no gap, and adds up to the balance that was read before it."""
    for operation in case.viewer.of("read"):
        if not isinstance(operation.answer, LedgerAnswer):
            continue
        wallet, entries = operation.answer.wallet, operation.answer.entries
        versions = [entry.version for entry in entries]
        if versions != list(range(1, len(versions) + 1)) or len(versions) < wallet.version:
            yield f"read after version {wallet.version}: {versions}"
        elif sum(entry.delta_millipoints for entry in entries[: wallet.version]) != wallet.balance_millipoints:
            yield f"the ledger as read does not make the {wallet.balance_millipoints} of version {wallet.version}"


@invariant
def a_seq_is_charged_at_most_once(case: Case) -> Iterator[str]:
    leases = Counter((e.session_id, e.seq) for e in case.view.entries if e.kind.value in ("lease", "unserved"))
    yield from (f"{session_id} seq {seq}: {n} times" for (session_id, seq), n in leases.items() if n > 1)
    ids = Counter(entry.entry_id for entry in case.view.entries)
    yield from (f"entry {entry_id}: {n} times" for entry_id, n in ids.items() if n > 1)


@invariant
def what_was_acknowledged_is_in_the_ledger(case: Case) -> Iterator[str]:
    """The ledger has the same cost, balance, paid time and refund as the answer."""
    entries = {entry.entry_id: entry for entry in case.view.entries}
    for operation in case.viewer.operations:
        answer = operation.answer
        if isinstance(answer, EndAnswer):
            end = entries.get(f"{answer.session_id}.end")
            if end is None or end.delta_millipoints != answer.refunded:
                yield f"{answer.session_id} was ended with {answer.refunded} back, the ledger says {end}"
            elif answer.reserved != case.view.records[answer.session_id].reserved_millipoints:
                yield f"{answer} was answered, the record is {case.view.records[answer.session_id]}"
        elif isinstance(answer, PaymentAnswer):
            entry = entries.get(f"p.{operation.payment_id}")
            if entry is None or entry.delta_millipoints != operation.millipoints:
                yield f"{operation.payment_id} of {operation.millipoints} was acknowledged, the ledger says {entry}"
        elif lease := operation.lease:
            name = f"{lease.session_id}.{lease.seq}"
            entry = entries.get(name)
            if entry is None or -entry.delta_millipoints != lease.charged:
                yield f"{name} was answered with a cost of {lease.charged}, the ledger says {entry}"
            elif case.replayed.accounts[lease.session_id].paid_until.get(lease.seq) != lease.paid_until_ms:
                yield f"{name} was answered as paid until {lease.paid_until_ms}"
            # The answers to a start and to a replay have a later balance.
            elif operation.kind == "beat" and lease.outcome != "replay":
                made = case.replayed.balance_after[entry.version]
                if made != lease.balance:
                    yield f"{name} was answered with a balance of {lease.balance}, the ledger makes {made}"


@invariant
def a_session_is_charged_for_time_that_passed(case: Case) -> Iterator[str]:
    """A session costs at most rate * (elapsed + horizon + lease). Clocks may differ by the skew."""
    for session_id, account in case.replayed.accounts.items():
        lease_ms, rate = account.terms.lease_ms, account.terms.rate
        elapsed_ms = case.view.now_ms - account.started_ms + 2 * SKEW_MS
        most = rate * (elapsed_ms + min(lease_ms // 2, HORIZON_MS_MAX) + lease_ms) // 60_000 + account.seq + 1
        if account.charged > most:
            yield f"{session_id} was charged {account.charged} in {elapsed_ms} ms, at most {most} is right"


@invariant
def paid_time_ends_soon(case: Case) -> Iterator[str]:
    """Paid time ends before now + horizon + lease, in wallets and in answers. Clocks may differ by the skew."""
    current = {s.session_id: (s.paid_until_ms, case.view.now_ms) for s in case.view.wallet.sessions.values()}
    answers = [(d.answer, d.answered_ms) for d in case.viewer.operations if isinstance(d.answer, LeaseAnswer)]
    answered = [(a.session_id, (a.paid_until_ms, at_ms)) for a, at_ms in answers]
    for session_id, (until_ms, at_ms) in [*current.items(), *answered]:
        account = case.replayed.accounts.get(session_id)
        if account and until_ms > at_ms + account.horizon_ms + account.terms.lease_ms + SKEW_MS:
            yield f"{session_id} is paid {until_ms - at_ms} ms ahead"


@invariant
def no_media_after_the_grace(case: Case) -> Iterator[str]:
    """No media is served after the lease of its token, by the clock of the function."""
    for operation in case.viewer.of("media"):
        if not isinstance(operation.answer, MediaAnswer):
            continue
        at_ms, account = operation.answer.at_ms, case.replayed.accounts.get(str(operation.session_id))
        until_ms = max(account.paid_until.values()) if account else 0
        if at_ms >= min(until_ms, operation.token_until_ms) + GRACE_MS:
            yield f"{operation.session_id} got media {at_ms - until_ms} ms after its paid time"


@invariant
def an_ended_session_gets_nothing_more(case: Case) -> Iterator[str]:
    """After an answered end no later request is sold, renewed or served, and the wallet has no such session."""
    ended_ticks: dict[str, int] = {}
    for operation in sorted(case.viewer.operations, key=lambda operation: operation.answered_tick):
        if ended := ended_session(operation.answer):
            ended_ticks.setdefault(ended, operation.answered_tick)
    for operation in case.viewer.operations:
        answer, began_tick = operation.answer, operation.began_tick
        session_id = answer.session_id if isinstance(answer, LeaseAnswer) else str(operation.session_id)
        is_success = isinstance(answer, LeaseAnswer | MediaAnswer)
        if is_success and began_tick > ended_ticks.get(session_id, began_tick):
            yield f"{session_id} had ended, and yet a {operation.kind} was answered {answer}"
    for session_id in ended_ticks:
        if session_id in case.view.wallet.sessions:
            yield f"{session_id} had ended, and is active again"


@invariant
def a_refund_is_made_once(case: Case) -> Iterator[str]:
    """A session has one refund. `every_line_follows_the_rules` checks its amount."""
    refunds = Counter(entry.session_id for entry in case.view.entries if entry.kind.value == "refund")
    yield from (f"{session_id}: {n} refunds" for session_id, n in refunds.items() if n > 1)
    for session_id, account in case.replayed.accounts.items():
        if account.refunded > account.charged:
            yield f"{session_id} got {account.refunded} back of {account.charged}"


@invariant
def an_ended_session_stays_as_it_ended(case: Case) -> Iterator[str]:
    """Wallet, record and ledger agree on active sessions and on costs, and all answers on the reason of an end."""
    for session_id, record in case.view.records.items():
        account = case.replayed.accounts.get(session_id)
        active = session_id in case.view.wallet.sessions
        if account is None or record.active != active or (account.ended_version is None) != active:
            yield f"{session_id}: record {'active' if record.active else 'ended'}, wallet {active}, ledger {account}"
        elif not active:
            cost = (record.charged_millipoints, record.refunded_millipoints)
            if cost != (account.cost, account.refunded):
                yield f"{session_id}: the record says {cost}, the ledger {account.cost}, {account.refunded} back"
    for operation in case.viewer.operations:
        if isinstance(operation.answer, EndAnswer):
            record = case.view.records.get(operation.answer.session_id)
            if record is None or record.end_reason is None or record.end_reason.value != operation.answer.reason:
                yield f"{operation.answer} was answered, the record is {record}"


@invariant
def a_fault_free_session_costs_what_was_answered(case: Case) -> Iterator[str]:
    """A session without faults costs the sum of its answers, whatever other sessions of the wallet met."""
    for session_id in case.viewer.sessions:
        operations = list(case.viewer.on(session_id))
        if any(each.injected or each.times > 1 or _is_unknown(each) for each in operations):
            continue
        answered = {each.lease.seq: each.lease.charged for each in operations if each.lease}
        account = case.replayed.accounts.get(session_id)
        if account is None or account.charged + account.credited != sum(answered.values()):
            yield f"{session_id} comes to {account}, but the answers were {answered}"


@invariant
def a_payment_counts_once(case: Case) -> Iterator[str]:
    """A payment is once in the ledger and has a row, or has neither."""
    entries = [entry for entry in case.view.entries if entry.payment_id and entry.kind.value != "reversal"]
    lines = Counter(entry.payment_id for entry in entries)
    for payment_id, amounts in case.viewer.payments.items():
        n, row = lines.get(payment_id, 0), case.view.payments.get(payment_id)
        if n > 1 or (row is not None) != (n == 1):
            yield f"payment {payment_id}: {n} lines, row {row}"
        elif row is not None and (row[0] != case.viewer.user_id or row[1] not in amounts):
            yield f"payment {payment_id} of {amounts} is kept as {row}"
    for entry in entries:
        kept = case.view.payments.get(str(entry.payment_id))
        if kept and (entry.delta_millipoints, entry.session_id) != kept[1:]:
            yield f"{entry.entry_id} is {entry.delta_millipoints} for {entry.session_id}, but is kept as {kept}"


@invariant
def every_line_follows_the_rules(case: Case) -> Iterator[str]:
    """Price and time of each line follow the rules, and the sessions of the wallet follow from the lines."""
    yield from case.replayed.errors
    for session_id, session in case.view.wallet.sessions.items():
        account = case.replayed.accounts.get(session_id)
        current = (session.seq, session.paid_until_ms, session.charged_millipoints, session.granted_ms)
        if account is None:
            yield f"{session_id} is in the wallet without a line"
        elif current != (account.seq, account.paid_until_ms, account.charged, account.granted_ms):
            yield f"{session_id} is {current} (seq, paid until, charged, granted), its lines make {account}"


@invariant
def nothing_happens_without_a_request(case: Case) -> Iterator[str]:
    """Each line has a request whose answer allows it."""
    requested = {(d.session_id, d.seq) for d in case.viewer.of("beat") if d.injected or d.lease or _is_unknown(d)}
    for entry in case.view.entries:
        if (
            entry.kind.value in ("lease", "unserved")
            and entry.seq != 1
            and (entry.session_id, entry.seq) not in requested
        ):
            yield f"{entry.entry_id} was not requested, or was refused"
        if entry.payment_id and entry.payment_id not in case.viewer.payments:
            yield f"payment {entry.payment_id} was not requested"
    started = {
        session_id_of(case.viewer.user_id, str(d.key))
        for d in case.viewer.of("start")
        if d.injected or d.lease or d.times > 1 or _is_unknown(d) or _is_taken_back(case, d)
    }
    for session_id in set(case.replayed.accounts) - started:
        of_it = [d for d in case.viewer.of("start") if session_id_of(case.viewer.user_id, str(d.key)) == session_id]
        yield f"{session_id} was not requested, or its start was refused: {[d.answer for d in of_it]}"


@invariant
def a_journal_stays_small(case: Case) -> Iterator[str]:
    """The journal is bounded, and with it the size of the item."""
    if len(case.view.wallet.journal) > JOURNAL_MAX:
        yield f"{len(case.view.wallet.journal)} entries"


@invariant
def a_page_is_six_versions(case: Case) -> Iterator[str]:
    """Each page is complete, and no page is missing."""
    for n, page in enumerate(case.view.pages):
        versions = [entry.version for entry in page.entries]
        if versions != list(range(6 * n + 1, 6 * n + 7)):
            yield f"page {n + 1} has {versions}"


@invariant
def a_viewer_keeps_to_the_limit_of_sessions(case: Case) -> Iterator[str]:
    if len(case.view.wallet.sessions) > SESSIONS_MAX:
        yield f"{len(case.view.wallet.sessions)} at once"


@invariant
def nothing_crashes(case: Case) -> Iterator[str]:
    """All errors are ones that the product declares."""
    for operation in case.viewer.operations:
        if isinstance(operation.answer, Crash):
            yield f"a {operation.kind} with {operation.injected} ended in {operation.answer.error}"


def _is_taken_back(case: Case, start: Operation) -> bool:
    """Return whether a start was refused after it was made, because the account was erased and its sessions ended."""
    account = case.replayed.accounts.get(session_id_of(case.viewer.user_id, str(start.key)))
    refused = isinstance(start.answer, Refusal) and start.answer.code == "forbidden"
    return case.viewer.erased and refused and account is not None and account.ended_ms is not None


def _is_unknown(operation: Operation) -> bool:
    return isinstance(operation.answer, UnknownOutcome)
