"""What must hold whatever happens: the invariants of selling, stopping and paying."""

from collections import Counter
from collections.abc import Iterator

from chalicelib.domain.ids import session_id_of
from tests.faults.harness.environment import SKEW_MS
from tests.faults.harness.operations import Crashed, Deed, Ended, Listed, Paid, Refused, Served, Sold, Unknown
from tests.faults.oracle.registry import Case, invariant
from tests.faults.oracle.replay import GRACE_MS, HORIZON_MS_MAX

JOURNAL_MAX = 30
# As the environment of the tests sets it.
SESSIONS_MAX = 3


@invariant
def a_balance_is_never_below_zero(case: Case) -> Iterator[str]:
    """1."""
    for version, balance in case.replayed.balance_after.items():
        if balance < 0:
            yield f"{balance} after version {version}"
    if case.view.wallet.balance_millipoints < 0:
        yield f"the wallet holds {case.view.wallet.balance_millipoints}"
    for deed in case.viewer.deeds:
        if isinstance(deed.answer, Sold | Paid) and deed.answer.balance < 0:
            yield f"a {deed.kind} was answered with {deed.answer.balance}"


@invariant
def the_balance_is_the_sum_of_the_ledger(case: Case) -> Iterator[str]:
    """2. Every version from 1 on is there once, and all deltas make the balance (wallets open empty)."""
    wallet = case.view.wallet
    versions = [entry.version for entry in case.view.entries]
    if versions != list(range(1, wallet.version + 1)):
        yield f"the wallet is at version {wallet.version}, the ledger has {versions}"
    if case.replayed.balance != wallet.balance_millipoints:
        yield f"the wallet holds {wallet.balance_millipoints}, the ledger makes {case.replayed.balance}"


@invariant
def a_ledger_read_while_it_moves_is_whole(case: Case) -> Iterator[str]:
    """2, at every moment: what was read during the run has no gap and makes the balance read before it."""
    for deed in case.viewer.of("read"):
        if not isinstance(deed.answer, Listed):
            continue
        wallet, entries = deed.answer.wallet, deed.answer.entries
        versions = [entry.version for entry in entries]
        if versions != list(range(1, len(versions) + 1)) or len(versions) < wallet.version:
            yield f"read after version {wallet.version}: {versions}"
        elif sum(entry.delta_millipoints for entry in entries[: wallet.version]) != wallet.balance_millipoints:
            yield f"the ledger as read does not make the {wallet.balance_millipoints} of version {wallet.version}"


@invariant
def a_seq_is_charged_at_most_once(case: Case) -> Iterator[str]:
    """3."""
    sold = Counter((e.session_id, e.seq) for e in case.view.entries if e.kind.value in ("lease", "unserved"))
    yield from (f"{session_id} seq {seq}: {n} times" for (session_id, seq), n in sold.items() if n > 1)
    ids = Counter(entry.entry_id for entry in case.view.entries)
    yield from (f"entry {entry_id}: {n} times" for entry_id, n in ids.items() if n > 1)


@invariant
def what_was_acknowledged_is_in_the_ledger(case: Case) -> Iterator[str]:
    """4. And says the same: cost, balance, paid time, refund."""
    entries = {entry.entry_id: entry for entry in case.view.entries}
    for deed in case.viewer.deeds:
        answer = deed.answer
        if isinstance(answer, Ended):
            end = entries.get(f"{answer.session_id}.end")
            if end is None or end.delta_millipoints != answer.refunded:
                yield f"{answer.session_id} was ended with {answer.refunded} back, the ledger says {end}"
        elif isinstance(answer, Paid):
            entry = entries.get(f"p.{deed.payment_id}")
            if entry is None or entry.delta_millipoints != deed.millipoints:
                yield f"payment {deed.payment_id} of {deed.millipoints} was acknowledged, the ledger says {entry}"
        elif deed.sold:
            sold = deed.sold
            name = f"{sold.session_id}.{sold.seq}"
            entry = entries.get(name)
            if entry is None or -entry.delta_millipoints != sold.charged:
                yield f"{name} was answered with a cost of {sold.charged}, the ledger says {entry}"
            elif case.replayed.accounts[sold.session_id].paid_until.get(sold.seq) != sold.paid_until_ms:
                yield f"{name} was answered as paid until {sold.paid_until_ms}"
            # The answer to a start is read after it, and to a replay long after.
            elif deed.kind == "beat" and sold.outcome != "replay":
                made = case.replayed.balance_after[entry.version]
                if made != sold.balance:
                    yield f"{name} was answered with a balance of {sold.balance}, the ledger makes {made}"


@invariant
def a_session_is_charged_for_time_that_passed(case: Case) -> Iterator[str]:
    """5. At most rate * (elapsed + horizon + lease), whatever the client did; clocks may differ by the skew."""
    for session_id, account in case.replayed.accounts.items():
        lease_ms, rate = account.terms.lease_ms, account.terms.rate
        elapsed_ms = case.view.now_ms - account.started_ms + 2 * SKEW_MS
        most = rate * (elapsed_ms + min(lease_ms // 2, HORIZON_MS_MAX) + lease_ms) // 60_000 + account.seq + 1
        if account.charged > most:
            yield f"{session_id} was charged {account.charged} in {elapsed_ms} ms, at most {most} is right"


@invariant
def paid_time_ends_soon(case: Case) -> Iterator[str]:
    """6. Never beyond now + horizon + lease, in the wallet and in every answer; clocks may differ by the skew."""
    stands = {s.session_id: (s.paid_until_ms, case.view.now_ms) for s in case.view.wallet.sessions.values()}
    answers = [(d.answer, d.answered_ms) for d in case.viewer.deeds if isinstance(d.answer, Sold)]
    answered = [(a.session_id, (a.paid_until_ms, at_ms)) for a, at_ms in answers]
    for session_id, (until_ms, at_ms) in [*stands.items(), *answered]:
        account = case.replayed.accounts.get(session_id)
        if account and until_ms > at_ms + account.horizon_ms + account.terms.lease_ms + SKEW_MS:
            yield f"{session_id} is paid {until_ms - at_ms} ms ahead"


@invariant
def no_media_after_the_grace(case: Case) -> Iterator[str]:
    """7. By the clock of the function that allowed it; nor after the lease that the token was issued for."""
    for deed in case.viewer.of("media"):
        if not isinstance(deed.answer, Served):
            continue
        at_ms, account = deed.answer.at_ms, case.replayed.accounts.get(str(deed.session_id))
        until_ms = max(account.paid_until.values()) if account else 0
        if at_ms >= min(until_ms, deed.token_until_ms) + GRACE_MS:
            yield f"{deed.session_id} got media {at_ms - until_ms} ms after its paid time"


@invariant
def an_ended_session_gets_nothing_more(case: Case) -> Iterator[str]:
    """8 and 10. Once an end was told, no later request is sold, renewed or served, and the wallet has it no more."""
    told: dict[str, int] = {}
    for deed in sorted(case.viewer.deeds, key=lambda deed: deed.answered_tick):
        answer = deed.answer
        ended = (
            answer.session_id if isinstance(answer, Ended) else answer.ended if isinstance(answer, Refused) else None
        )
        if ended:
            told.setdefault(ended, deed.answered_tick)
    for deed in case.viewer.deeds:
        session_id = deed.answer.session_id if isinstance(deed.answer, Sold) else str(deed.session_id)
        if isinstance(deed.answer, Sold | Served) and deed.began_tick > told.get(session_id, deed.began_tick):
            yield f"{session_id} had ended, and yet a {deed.kind} was answered {deed.answer}"
    for session_id in told:
        if session_id in case.view.wallet.sessions:
            yield f"{session_id} had ended, and is active again"


@invariant
def a_refund_is_made_once(case: Case) -> Iterator[str]:
    """9. Its amount is held against the rules by `every_line_follows_the_rules`."""
    refunds = Counter(entry.session_id for entry in case.view.entries if entry.kind.value == "refund")
    yield from (f"{session_id}: {n} refunds" for session_id, n in refunds.items() if n > 1)
    for session_id, account in case.replayed.accounts.items():
        if account.refunded > account.charged:
            yield f"{session_id} got {account.refunded} back of {account.charged}"


@invariant
def an_ended_session_stays_as_it_ended(case: Case) -> Iterator[str]:
    """10. Wallet, record and ledger agree on what is active and what it came to, and every end was told alike."""
    for session_id, record in case.view.records.items():
        account = case.replayed.accounts.get(session_id)
        active = session_id in case.view.wallet.sessions
        if account is None or record.active != active or (account.ended_version is None) != active:
            yield f"{session_id}: record {'active' if record.active else 'ended'}, wallet {active}, ledger {account}"
        elif not active:
            cost = (record.charged_millipoints, record.refunded_millipoints)
            if cost != (account.charged - account.refunded, account.refunded):
                yield f"{session_id}: the record says {cost}, the ledger {account.charged}, {account.refunded} back"
    for deed in case.viewer.deeds:
        if isinstance(deed.answer, Ended):
            record = case.view.records.get(deed.answer.session_id)
            if record is None or record.end_reason is None or record.end_reason.value != deed.answer.reason:
                yield f"{deed.answer.session_id} was told to have ended as {deed.answer.reason}, the record is {record}"


@invariant
def a_calm_session_costs_what_was_answered(case: Case) -> Iterator[str]:
    """11. A session that met no fault costs what its viewer was told, whatever others of the same wallet met."""
    for session_id in case.viewer.sessions:
        deeds = list(case.viewer.on(session_id))
        if any(deed.injected or deed.times > 1 or isinstance(deed.answer, Unknown) for deed in deeds):
            continue
        told = {deed.sold.seq: deed.sold.charged for deed in deeds if deed.sold}
        account = case.replayed.accounts.get(session_id)
        if account is None or account.charged + account.credited != sum(told.values()):
            yield f"{session_id} comes to {account}, but its viewer was told of {told}"


@invariant
def a_payment_counts_once(case: Case) -> Iterator[str]:
    """12. Once in the ledger, with a row of its own, or not at all."""
    lines = Counter(e.payment_id for e in case.view.entries if e.payment_id)
    for payment_id, amounts in case.viewer.payments.items():
        n, row = lines.get(payment_id, 0), case.view.payments.get(payment_id)
        if n > 1 or (row is not None) != (n == 1):
            yield f"payment {payment_id}: {n} lines, row {row}"
        elif row is not None and (row[0] != case.viewer.user_id or row[1] not in amounts):
            yield f"payment {payment_id} of {amounts} is kept as {row}"
    for entry in case.view.entries:
        kept = case.view.payments.get(str(entry.payment_id))
        if kept and (entry.delta_millipoints, entry.session_id) != kept[1:]:
            yield f"{entry.entry_id} is {entry.delta_millipoints} for {entry.session_id}, but is kept as {kept}"


@invariant
def every_line_follows_the_rules(case: Case) -> Iterator[str]:
    """The price, the moment and the time of each line, and the sessions that stand in the wallet."""
    yield from case.replayed.wrong
    for session_id, session in case.view.wallet.sessions.items():
        account = case.replayed.accounts.get(session_id)
        stands = (session.seq, session.paid_until_ms, session.charged_millipoints, session.granted_ms)
        if account is None:
            yield f"{session_id} stands in the wallet without a line"
        elif stands != (account.seq, account.paid_until_ms, account.charged, account.granted_ms):
            yield f"{session_id} stands as {stands} (seq, paid until, charged, granted), its lines make {account}"


@invariant
def nothing_happens_unasked(case: Case) -> Iterator[str]:
    """Each line was asked for, by a request whose answer does not say that nothing happened."""
    asked = {(d.session_id, d.seq) for d in case.viewer.of("beat") if d.injected or d.sold or _open(d)}
    for entry in case.view.entries:
        if entry.kind.value in ("lease", "unserved") and entry.seq != 1 and (entry.session_id, entry.seq) not in asked:
            yield f"nobody asked for {entry.entry_id}, or it was refused"
        if entry.payment_id and entry.payment_id not in case.viewer.payments:
            yield f"nobody asked for payment {entry.payment_id}"
    made = {
        session_id_of(case.viewer.user_id, str(d.key))
        for d in case.viewer.of("start")
        if d.injected or d.sold or d.times > 1 or _open(d)
    }
    for session_id in set(case.replayed.accounts) - made:
        yield f"nobody asked for {session_id}, or its start was refused"


@invariant
def a_journal_stays_small(case: Case) -> Iterator[str]:
    """So that the item cannot outgrow its bound."""
    if len(case.view.wallet.journal) > JOURNAL_MAX:
        yield f"{len(case.view.wallet.journal)} entries"


@invariant
def a_page_is_six_versions(case: Case) -> Iterator[str]:
    """Each is complete, and none is missing before the last: their content is fixed, whoever writes them."""
    for n, page in enumerate(case.view.pages):
        versions = [entry.version for entry in page.entries]
        if versions != list(range(6 * n + 1, 6 * n + 7)):
            yield f"page {n + 1} has {versions}"


@invariant
def a_viewer_keeps_to_the_limit_of_sessions(case: Case) -> Iterator[str]:
    """However many starts come at once."""
    if len(case.view.wallet.sessions) > SESSIONS_MAX:
        yield f"{len(case.view.wallet.sessions)} at once"


@invariant
def nothing_crashes(case: Case) -> Iterator[str]:
    """Every failure is answered in the product's own words."""
    for deed in case.viewer.deeds:
        if isinstance(deed.answer, Crashed):
            yield f"a {deed.kind} with {deed.injected} ended in {deed.answer.error}"


def _open(deed: Deed) -> bool:
    return isinstance(deed.answer, Unknown)
