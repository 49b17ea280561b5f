"""The wallet check of `make load` and `make kills` finds each kind of error in a ledger."""

from collections.abc import Callable
from typing import Any

import pytest

from player.statement.chain import genesis, line_hash
from tests.faults.harness.answer_log import AnswerLog, Sale
from tests.faults.harness.api_client import Answer, ApiClient
from tests.faults.harness.terms import LeaseTerms
from tests.faults.oracle.wallet_check import CHAINED, Findings, Line, WalletCheck

SESSION = "s" * 26
TERMS = LeaseTerms(stream_id="stream-1", rate_millipoints_per_minute=61_117, lease_ms=5_000)
CHARGE = 5_094
END = {"session_id": SESSION, "charged_millipoints": 2 * CHARGE - 3_000, "refunded_millipoints": 3_000}
EXPORT = "/me/ledger/export"


def line(entry_id: str, kind: str, delta: int, at_ms: int, **more: Any) -> Line:
    return (
        dict.fromkeys(CHAINED) | {"entry_id": entry_id, "kind": kind, "delta_millipoints": delta, "at_ms": at_ms} | more
    )


def lease(seq: int, at_ms: int) -> Line:
    return line(f"{SESSION}.{seq}", "lease", -CHARGE, at_ms, session_id=SESSION, stream_id="stream-1", seq=seq)


def beat(seq: int, outcome: str, charged: int = CHARGE, paid_until_ms: int = 0) -> Answer:
    costs = {"charged_millipoints": charged, "paid_until_ms": paid_until_ms, "balance_millipoints": 0}
    return Answer(200, {"session_id": SESSION, "seq": seq, "outcome": outcome, **costs}, 0.0)


def wallet(version: int) -> Answer:
    return Answer(200, {"version": version, "balance_millipoints": 50_000}, 0.0)


class Ledger(ApiClient):
    """A client of a platform with one wallet. Answers follow from `lines`, and `changes` may change them by path."""

    def __init__(self) -> None:
        self.answers = AnswerLog("u_one")
        self.lines = [
            line("p.opening", "credit", 50_000, 0, payment_id="opening", note=""),
            lease(1, 1_000),
            lease(2, 4_000),
            line(f"{SESSION}.end", "refund", 3_000, 8_000, session_id=SESSION, stream_id="stream-1"),
        ]
        self.settled = {"settled_millipoints": None, "settled_debt_millipoints": None}
        self.debt = 0
        self.changes: dict[str, Callable[[Any], Any]] = {}
        for payment_id, millipoints in (("opening", 50_000), ("gift", 10)):
            self.answers.record_payment_sent(payment_id, millipoints)
        self.answers.record_payment("opening", wallet(1))
        for seq in (1, 2, 3, 4):
            self.answers.record_beat_sent(SESSION, seq)
        for seq, until_ms in ((1, 6_000), (2, 11_000)):
            self.answers.record_beat(beat(seq, "on_time", paid_until_ms=until_ms))
        self.answers.record_beat(beat(2, "replay"), 2)
        self.answers.record_end(Answer(200, END | {"balance_millipoints": 42_812}, 0.0))

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        first = state = {"version": 0, "balance_millipoints": 0, "hash": genesis("u_one")}
        lines = []
        for number, each in enumerate(self.lines, 1):
            balance = state["balance_millipoints"] + each["delta_millipoints"]
            hashed = line_hash(state["hash"], each | {"version": number})
            state = {"version": number, "balance_millipoints": balance, "hash": hashed}
            lines.append(each | state)
        net = -sum(each["delta_millipoints"] for each in lines if each["session_id"])
        record = {**END, "charged_millipoints": net, "active": False, "started_at_ms": 1_000, **self.settled}
        found: dict[str, Any] = {
            EXPORT: {"opening": first, "lines": lines, "closing": state, "next_after_version": None},
            "/me/wallet": state | {"sessions": [], "debt_millipoints": self.debt},
            "/me/ledger": {
                "items": [{name: each[name] for name in CHAINED} for each in lines[::-1]],
                "next_cursor": "",
            },
            "/me/sessions": {"items": [record], "next_cursor": ""},
        }
        name = path.partition("?")[0]
        return Answer(200, self.changes.get(name, lambda document: document)(found[name]), 0.0)

    def settle(self, kind: str, delta: int, debt: int = 0) -> None:
        """Add the settlement of the session."""
        entry_id = f"{SESSION}.settled"
        self.lines.append(line(entry_id, kind, delta, 98_000, session_id=SESSION, stream_id="stream-1"))
        self.settled = {"settled_millipoints": delta - debt, "settled_debt_millipoints": debt}
        self.debt += debt

    def check(self) -> Findings:
        return WalletCheck(self, self.answers, TERMS).run()


def assert_found(ledger: Ledger, kind: str) -> None:
    violations = ledger.check().violations
    assert any(each.startswith(kind) for each in violations), violations


def test_a_correct_ledger_has_no_violations() -> None:
    found = Ledger().check()
    assert found.violations == []
    assert (found.balance_answered, found.unanswered_lines, found.balance_actual) == (42_812, 0, 42_812)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("acknowledged leases", lambda lines: lines.pop(2)),
        ("acknowledged leases", lambda lines: lines[2].update(delta_millipoints=-CHARGE - 1)),
        ("lines explained", lambda lines: lines.insert(3, lease(9, 6_000))),
        ("each (session, seq) once", lambda lines: lines.insert(3, lease(2, 4_001) | {"entry_id": f"{SESSION}.2b"})),
        ("rate * (elapsed + horizon", lambda lines: lines.__setitem__(slice(3, 3), [lease(3, 4_000), lease(4, 4_000)])),
        ("entry ids once", lambda lines: lines.insert(1, lines[0])),
        ("lines explained", lambda lines: lines.append(line("p.x", "credit", 1, 9_000, payment_id="x"))),
        ("one end, then a settlement", lambda lines: lines.append(lines[-1] | {"entry_id": f"{SESSION}.end2"})),
        ("one end, then a settlement", lambda lines: lines.append(lease(3, 9_000))),
        ("balances never below 0", lambda lines: lines.append(line("p.x", "adjustment", -45_000, 9_000))),
    ],
)
def test_a_wrong_line_is_found(kind: str, change: Callable[[list[Line]], object]) -> None:
    ledger = Ledger()
    change(ledger.lines)
    # The record follows from the lines, so that only the line itself is wrong.
    ledger.answers.ended.clear()
    assert_found(ledger, kind)


@pytest.mark.parametrize(("kind", "delta", "debt"), [("served_ahead", -700, 300), ("unserved_credit", 4_000, 0)])
def test_a_settled_ledger_has_no_violations(kind: str, delta: int, debt: int) -> None:
    ledger = Ledger()
    ledger.settle(kind, delta, debt)
    assert ledger.check().violations == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("settlement as recorded", lambda lines: lines[-1].update(delta_millipoints=-701)),
        ("settlement as recorded", lambda lines: lines.pop()),
        ("lines explained", lambda lines: lines[-1].update(kind="unserved_credit")),
        ("lines explained", lambda lines: lines[-1].update(entry_id=f"{SESSION}.settled2")),
        ("one end, then a settlement", lambda lines: lines.append(lines[-1] | {"entry_id": f"{SESSION}.settled2"})),
        ("one end, then a settlement", lambda lines: lines.insert(3, lines.pop())),
        ("rate * (elapsed + horizon", lambda lines: lines[-1].update(delta_millipoints=-15_000)),
        ("lines explained", lambda lines: lines.append(line(f"d.{SESSION}", "debt_payment", -300, 99_000))),
        ("debt", lambda lines: lines.append(line(f"d.{SESSION}", "debt_payment", -300, 99_000))),
    ],
)
def test_a_wrong_settlement_is_found(kind: str, change: Callable[[list[Line]], object]) -> None:
    ledger = Ledger()
    ledger.settle("served_ahead", -700, debt=300)
    change(ledger.lines)
    assert_found(ledger, kind)


@pytest.mark.parametrize(
    ("kind", "path", "change"),
    [
        (
            "lines of statements",
            EXPORT,
            lambda part: part | {"lines": [each | {"note": "x"} for each in part["lines"]]},
        ),
        ("seqs in order", EXPORT, lambda part: part | {"lines": part["lines"][:1] + part["lines"][2:]}),
        ("statement = list", "/me/ledger", lambda page: page | {"items": page["items"][1:]}),
        ("balance = sum of the ledger", "/me/wallet", lambda wallet: wallet | {"balance_millipoints": 42_813}),
        (
            "charged - refunded",
            "/me/sessions",
            lambda page: page | {"items": [page["items"][0] | {"charged_millipoints": 1}]},
        ),
    ],
)
def test_a_wrong_answer_to_the_check_is_found(kind: str, path: str, change: Callable[[Line], Line]) -> None:
    ledger = Ledger()
    ledger.changes[path] = change
    assert_found(ledger, kind)


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("acknowledged payments", lambda answers: answers.record_payment("gift", wallet(1))),
        ("sessions", lambda answers: answers.sessions.add("t" * 26)),
        ("wallets and statements read", lambda answers: answers.record_wallet(wallet(2))),
        (
            "paid until",
            lambda answers: answers.sales.update({(SESSION, 2): Sale("on_time", CHARGE, 4_000 + TERMS.ahead_ms + 1)}),
        ),
        ("while running", lambda answers: answers.record_beat(beat(2, "replay", CHARGE - 1))),
        ("while running", lambda answers: answers.record_beat(beat(2, "on_time", paid_until_ms=11_000))),
    ],
)
def test_a_wrong_answer_to_a_client_is_found(kind: str, record: Callable[[AnswerLog], object]) -> None:
    ledger = Ledger()
    record(ledger.answers)
    assert_found(ledger, kind)


def test_a_settlement_between_two_reads_is_no_violation() -> None:
    ledger = Ledger()

    def settle_after(document: Line) -> Line:
        if not ledger.settled:
            ledger.settle("unserved_credit", 4_000)
        return document

    ledger.changes["/me/ledger"] = settle_after
    assert ledger.check().violations == []


def test_a_wallet_that_never_comes_to_rest_is_reported() -> None:
    ledger = Ledger()

    def pay(document: Line) -> Line:
        name = f"n{len(ledger.lines)}"
        ledger.lines.append(line(f"p.{name}", "credit", 1, 99_000, payment_id=name))
        return document

    ledger.changes["/me/ledger"] = pay
    assert_found(ledger, "answers: the check could not continue: the wallet changed during each of 5 reads")
