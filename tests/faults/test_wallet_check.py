"""The wallet check of `make load` and `make kills` finds each kind of error in a ledger."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.faults.harness.answer_log import AnswerLog
from tests.faults.harness.api_client import Account, Answer, ApiClient, NeverAnswered, NoAnswer
from tests.faults.harness.terms import LeaseTerms
from tests.faults.oracle.wallet_check import CHAINED, Findings, Line, WalletCheck, _after, statement

SESSION = "s" * 26
TERMS = LeaseTerms(stream_id="stream-1", rate_millipoints_per_minute=61_117, lease_ms=5_000)
CHARGE = 5_094


def line(entry_id: str, kind: str, delta: int, at_ms: int, **more: Any) -> Line:
    return dict.fromkeys(CHAINED) | {
        "entry_id": entry_id,
        "kind": kind,
        "delta_millipoints": delta,
        "at_ms": at_ms,
        **more,
    }


def lease(seq: int, at_ms: int, delta: int = -CHARGE) -> Line:
    return line(f"{SESSION}.{seq}", "lease", delta, at_ms, session_id=SESSION, stream_id="stream-1", seq=seq)


def answer(**document: Any) -> Answer:
    return Answer(200, document, 0.0)


class Ledger(ApiClient):
    """A client of a platform with one wallet. Answers follow from `lines`, unless `changes` has another one."""

    def __init__(self) -> None:
        self.answers = AnswerLog("u_one")
        self.lines = [
            line("p.opening", "credit", 50_000, 0, payment_id="opening", note=""),
            lease(1, 1_000),
            lease(2, 4_000),
            line(f"{SESSION}.end", "refund", 3_000, 8_000, session_id=SESSION, stream_id="stream-1"),
        ]
        self.record: Line = {"charged_millipoints": 2 * CHARGE - 3_000, "refunded_millipoints": 3_000}
        self.changes: dict[str, Callable[[Any], Any]] = {}
        self.answers.record_payment_sent("opening", 50_000)
        self.answers.record_payment("opening", answer(version=1, balance_millipoints=50_000))
        for seq, until_ms in ((1, 6_000), (2, 11_000)):
            self.answers.record_beat_sent(SESSION, seq)
            self.answers.record_beat(self.beat(seq, "on_time", paid_until_ms=until_ms))
        self.answers.record_beat(self.beat(2, "replay"), 2)
        self.answers.record_end(answer(session_id=SESSION, balance_millipoints=42_812, **self.record))

    @staticmethod
    def beat(seq: int, outcome: str, charged: int = CHARGE, paid_until_ms: int = 0) -> Answer:
        return answer(
            session_id=SESSION,
            seq=seq,
            outcome=outcome,
            charged_millipoints=charged,
            paid_until_ms=paid_until_ms,
            balance_millipoints=0,
        )

    def chained(self) -> tuple[Line, list[Line], Line]:
        """Return the opening state, the lines with version, balance and hash, and the closing state."""
        _, first = statement(_Empty(), Findings(), "u_one")
        state, lines = first, []
        for number, each in enumerate(self.lines):
            each = each | {"version": number + 1, "balance_millipoints": 0, "hash": ""}
            state = _after(Findings(), state, each)
            lines.append(each | state)
        return first, lines, state

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        first, lines, state = self.chained()
        if path.startswith("/me/ledger/export"):
            found: Any = {"opening": first, "lines": lines, "closing": state, "next_after_version": None}
        elif path == "/me/wallet":
            found = state | {"sessions": []}
        elif path.startswith("/me/ledger"):
            found = {"items": [{name: each[name] for name in CHAINED} for each in lines[::-1]], "next_cursor": None}
        else:
            session = {"session_id": SESSION, "active": False, "started_at_ms": 1_000, **self.record}
            found = {"items": [session], "next_cursor": None}
        kind = path.split("?")[0]
        return Answer(200, self.changes.get(kind, lambda document: document)(found), 0.0)


class _Empty(ApiClient):
    def __init__(self) -> None:
        pass

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        return answer(opening=None, lines=[], closing=None, next_after_version=None)


def check(ledger: Ledger) -> Findings:
    return WalletCheck(ledger, ledger.answers, TERMS).run()


def test_a_correct_ledger_has_no_violations() -> None:
    found = check(Ledger())
    assert found.violations == []
    assert (found.balance_answered, found.unanswered_lines, found.balance_actual) == (42_812, 0, 42_812)


def settled(ledger: Ledger) -> None:
    """Update the record to the lines, so that only the fault itself can be found."""
    net = -sum(each["delta_millipoints"] for each in ledger.lines if each["session_id"])
    ledger.record["charged_millipoints"] = net
    ledger.answers.ended.clear()


def lost_lease(ledger: Ledger) -> None:
    del ledger.lines[2]
    settled(ledger)


def other_amount(ledger: Ledger) -> None:
    ledger.lines[2] = lease(2, 4_000, -CHARGE - 1)
    settled(ledger)


def unasked_lease(ledger: Ledger) -> None:
    ledger.lines.insert(3, lease(3, 6_000))
    settled(ledger)


def doubled_seq(ledger: Ledger) -> None:
    ledger.lines.insert(3, lease(2, 4_001) | {"entry_id": f"{SESSION}.2b"})
    settled(ledger)


def too_many_leases(ledger: Ledger) -> None:
    for seq in (3, 4):
        ledger.answers.record_beat_sent(SESSION, seq)
        ledger.lines.insert(seq, lease(seq, 4_000))
    settled(ledger)


def lost_payment(ledger: Ledger) -> None:
    ledger.answers.record_payment_sent("gift", 10)
    ledger.answers.record_payment("gift", answer(version=1, balance_millipoints=50_000))


def doubled_payment(ledger: Ledger) -> None:
    ledger.lines.insert(1, ledger.lines[0])
    ledger.answers.balances.clear()


def unknown_payment(ledger: Ledger) -> None:
    ledger.lines.append(line("p.x", "credit", 1, 9_000, payment_id="x"))


def doubled_refund(ledger: Ledger) -> None:
    ledger.lines.append(ledger.lines[-1] | {"entry_id": f"{SESSION}.end2"})
    settled(ledger)


def lease_after_the_end(ledger: Ledger) -> None:
    ledger.answers.record_beat_sent(SESSION, 3)
    ledger.lines.append(lease(3, 9_000))
    settled(ledger)


def below_zero(ledger: Ledger) -> None:
    ledger.answers.record_payment_sent("back", -45_000)
    ledger.lines.append(line("p.back", "adjustment", -45_000, 9_000, payment_id="back"))


def wrong_hash(ledger: Ledger) -> None:
    ledger.changes["/me/ledger/export"] = lambda part: (
        part | {"lines": [each | {"note": "changed"} for each in part["lines"]]}
    )


def version_gap(ledger: Ledger) -> None:
    ledger.changes["/me/ledger/export"] = lambda part: part | {"lines": part["lines"][:1] + part["lines"][2:]}


def another_list(ledger: Ledger) -> None:
    ledger.changes["/me/ledger"] = lambda page: page | {"items": page["items"][1:]}


def another_balance(ledger: Ledger) -> None:
    ledger.changes["/me/wallet"] = lambda wallet: wallet | {"balance_millipoints": wallet["balance_millipoints"] + 1}


def another_record(ledger: Ledger) -> None:
    ledger.record["charged_millipoints"] += 1
    ledger.answers.ended.clear()


def missing_session(ledger: Ledger) -> None:
    ledger.answers.sessions.add("t" * 26)


def another_moment(ledger: Ledger) -> None:
    ledger.answers.record_wallet(answer(version=2, balance_millipoints=50_000))


def paid_too_far(ledger: Ledger) -> None:
    ledger.answers.sales.clear()
    ledger.answers.record_beat(ledger.beat(2, "on_time", paid_until_ms=4_000 + TERMS.ahead_ms + 1))


def other_cost_of_a_replay(ledger: Ledger) -> None:
    ledger.answers.record_beat(ledger.beat(2, "replay", CHARGE - 1))


def sold_twice(ledger: Ledger) -> None:
    ledger.answers.record_beat(ledger.beat(2, "on_time", paid_until_ms=11_000))


FAULTS = [
    lost_lease,
    other_amount,
    unasked_lease,
    doubled_seq,
    too_many_leases,
    lost_payment,
    doubled_payment,
    unknown_payment,
    doubled_refund,
    lease_after_the_end,
    below_zero,
    wrong_hash,
    version_gap,
    another_list,
    another_balance,
    another_record,
    missing_session,
    another_moment,
    paid_too_far,
    other_cost_of_a_replay,
    sold_twice,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_found(fault: Callable[[Ledger], None]) -> None:
    ledger = Ledger()
    fault(ledger)
    assert check(ledger).violations


class Flaky(BaseHTTPRequestHandler):
    """Closes the first connection without an answer, answers 503, then succeeds."""

    seen = 0

    def do_POST(self) -> None:
        Flaky.seen += 1
        if Flaky.seen == 1:
            self.close_connection = True
            return
        status, body = (503, b'{"code": "busy"}') if Flaky.seen == 2 else (200, b'{"access_token": "t"}')
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_client_retries_until_it_is_answered_and_counts_the_retries() -> None:
    with HTTPServer(("127.0.0.1", 0), Flaky) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        client = ApiClient(url)
        assert Account(url, "a@local", "x").token(client) == "t"
        assert client.retries == {"RemoteDisconnected": 1, "busy": 1}
        client.close()
        server.shutdown()
    impatient = ApiClient(url, patience_s=0.0)
    with pytest.raises(NoAnswer):
        impatient.request("GET", "/")
    with pytest.raises(NeverAnswered):
        impatient.retry_until_answered(lambda: impatient.request("GET", "/"))
