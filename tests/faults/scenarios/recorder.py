"""The recorder sends requests of viewers and operators, and records each with its faults and its answer."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import from_row, to_row
from chalicelib.domain.money.sessions import SessionRecord
from tests.faults.harness.drivers import HttpDriver, ServicesDriver, answer_of
from tests.faults.harness.environment import Environment, FunctionInstance, StreamTerms
from tests.faults.harness.http_faults import DUPLICATES
from tests.faults.harness.operations import (
    Answer,
    Crash,
    EndAnswer,
    LeaseAnswer,
    LedgerAnswer,
    MediaAnswer,
    Operation,
    View,
    Viewer,
    WorkAnswer,
    ended_session,
)
from tests.faults.harness.store_faults import KILLS, FaultPlan
from tests.faults.oracle import (  # noqa: F401  (registers them)
    ledger_invariants,
    session_invariants,
    settlement_invariants,
)
from tests.faults.oracle.registry import check_counts, find_violations
from tests.faults.oracle.settling import SettlingTerms

LEDGER_LIMIT = 1_000
BATCH_GET_MAX = 100


class Recorder:
    """The viewers of an environment and their operations. Safe to use from many threads."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.viewers: list[Viewer] = []
        self.broken: list[str] = []
        self.operations: Counter[str] = Counter()
        self.faulted = 0
        self._schedule = Viewer(user_id="the schedule")
        self._lock = threading.Lock()

    def viewer(self, millipoints: int, cap: int | None = None) -> Viewer:
        """Add a viewer. The opening balance is a payment."""
        viewer = Viewer(user_id=self.environment.new_user())
        if cap is not None:
            viewer.cap = cap
            self.environment.observer.services.ledger.set_daily_cap(viewer.user_id, cap)
        self.viewers.append(viewer)
        if millipoints:
            self.pay(ServicesDriver(self.environment.observer), viewer, secrets.token_hex(8), millipoints)
        return viewer

    def start(self, driver, viewer: Viewer, terms: StreamTerms, *, replace=False, key="", faults=None) -> Operation:
        key = key or secrets.token_hex(12)
        operation = Operation(kind="start", user_id=viewer.user_id, stream_id=terms.stream_id, key=key)
        if terms.viewers_max:
            self.environment.counted_users.add(viewer.user_id)
        return self._run(viewer, operation, faults, driver, lambda: driver.start(viewer.user_id, terms, replace, key))

    def beat(self, driver, viewer: Viewer, session_id: str, seq: int, *, faults=None) -> Operation:
        operation = Operation(kind="beat", user_id=viewer.user_id, session_id=session_id, seq=seq)
        return self._run(viewer, operation, faults, driver, lambda: driver.beat(viewer.user_id, session_id, seq))

    def send(self, kind: str, driver, viewer: Viewer, session_id: str, *, faults=None) -> Operation:
        """Send a renewal, a stop or a kick of a session."""
        operation = Operation(kind=kind, user_id=viewer.user_id, session_id=session_id)
        return self._run(viewer, operation, faults, driver, lambda: getattr(driver, kind)(viewer.user_id, session_id))

    def pay(self, driver, viewer: Viewer, payment_id: str, millipoints: int, *, faults=None) -> Operation:
        operation = Operation(kind="pay", user_id=viewer.user_id, payment_id=payment_id, millipoints=millipoints)
        viewer.payments.setdefault(payment_id, set()).add(millipoints)
        return self._run(viewer, operation, faults, driver, lambda: driver.pay(viewer.user_id, payment_id, millipoints))

    def adjust(
        self, driver, viewer: Viewer, session_id: str, payment_id: str, millipoints: int, *, faults=None
    ) -> Operation:
        operation = Operation(
            kind="adjust",
            user_id=viewer.user_id,
            session_id=session_id,
            payment_id=payment_id,
            millipoints=millipoints,
        )
        viewer.payments.setdefault(payment_id, set()).add(millipoints)
        viewer.adjusted.setdefault(payment_id, session_id)
        return self._run(viewer, operation, faults, driver, lambda: driver.adjust(session_id, payment_id, millipoints))

    def reverse(self, driver, viewer: Viewer, payment_id: str, *, faults=None) -> Operation:
        operation = Operation(kind="reverse", user_id=viewer.user_id, payment_id=payment_id)
        return self._run(viewer, operation, faults, driver, lambda: driver.reverse(payment_id))

    def settle(self, driver, viewer: Viewer, session_id: str, *, faults=None) -> Operation:
        """Settle one session, whose log is complete."""
        operation = Operation(kind="settle", user_id=viewer.user_id, session_id=session_id)
        return self._run(viewer, operation, faults, driver, lambda: driver.settle(session_id))

    def erase(self, driver, viewer: Viewer, *, faults=None) -> Operation:
        viewer.erased = True
        operation = Operation(kind="erase", user_id=viewer.user_id)
        return self._run(viewer, operation, faults, driver, lambda: driver.erase(viewer.user_id))

    def read(self, instance: FunctionInstance, viewer: Viewer, *, faults: FaultPlan | None = None) -> Operation:
        """Read the wallet and then the ledger, which others may change meanwhile."""
        ledger = instance.services.ledger

        def listed() -> Answer:
            wallet = ledger.wallet(viewer.user_id)
            entries = ledger.entries(viewer.user_id, limit=LEDGER_LIMIT, cursor=None).items
            return LedgerAnswer(wallet=wallet, entries=list(reversed(entries)))

        return self._run(viewer, Operation(kind="read", user_id=viewer.user_id), faults, instance, listed)

    def media(
        self, instance: FunctionInstance, viewer: Viewer, session_id: str, *, faults: FaultPlan | None = None
    ) -> Operation:
        """Request media with the newest token of a session."""
        token, until_ms = viewer.tokens[session_id]
        operation = Operation(kind="media", user_id=viewer.user_id, session_id=session_id, token_until_ms=until_ms)

        def served() -> Answer:
            at_ms = instance.now_ms()
            instance.services.access.authorize(token, session_id, None)
            return MediaAnswer(at_ms=at_ms)

        return self._run(viewer, operation, faults, instance, served)

    def work(self, instance: FunctionInstance, name: str, *, faults: FaultPlan | None = None) -> Operation:
        """Run a scheduled task: `catch_up` moves pages, `reap` ends lapsed sessions, `reconcile` settles sessions."""
        services = instance.services
        tasks: dict[str, Callable[[], object]] = {
            "catch_up": services.ledger.catch_up,
            "reap": services.reaper.reap,
            "reconcile": services.reconciliation.run,
        }

        def done() -> Answer:
            tasks[name]()
            return WorkAnswer()

        return self._run(self._schedule, Operation(kind=name), faults, instance, done)

    def report_log(self, how: int) -> None:
        """Let the gateway serve all sessions that have ended, and report its log. `how` picks what they are served."""
        with self.environment.network.injecting(None):
            self.environment.gateway.report(
                (record for viewer in self.viewers for record in self.records(viewer)),
                self.environment.time.now_ms,
                how,
            )

    def records(self, viewer: Viewer) -> list[SessionRecord]:
        """Return all sessions of a viewer in the store, newest first."""
        sessions = self.environment.observer.services.stores.sessions
        return list(sessions.by_user(viewer.user_id, limit=LEDGER_LIMIT, cursor=None).items)

    def _run(
        self, viewer: Viewer, operation: Operation, faults, driver: object, call: Callable[[], Answer]
    ) -> Operation:
        operation.began_ms = self.environment.time.now_ms
        with self._lock:
            viewer.operations.append(operation)
            self.operations[operation.kind] += 1
        with self.environment.network.injecting(faults):
            answer = answer_of(call)
        if faults is not None:
            operation.injected = list(faults.injected)
            if not set(KILLS).isdisjoint(faults.injected):
                instance = driver if isinstance(driver, FunctionInstance) else getattr(driver, "instance", None)
                if instance is not None:
                    instance.restart()
        if isinstance(driver, HttpDriver) and driver.fault is not None:
            operation.injected.append(driver.fault)
            operation.times = 2 if driver.fault in DUPLICATES else 1
            with self._lock:
                self.environment.network.counts[driver.fault] += 1
        operation.record_answer(answer, self.environment.time.now_ms)
        with self._lock:
            self.faulted += bool(operation.injected)
            self._remember(viewer, operation)
        if isinstance(answer, EndAnswer):
            self._check_access_ended(viewer, answer)
        return operation

    @staticmethod
    def _remember(viewer: Viewer, operation: Operation) -> None:
        answer = operation.answer
        if ended := ended_session(answer):
            viewer.ended.add(ended)
        if isinstance(answer, LeaseAnswer):
            viewer.seqs[answer.session_id] = max(answer.seq, viewer.seqs.get(answer.session_id, 0))
            viewer.tokens[answer.session_id] = (answer.token, answer.paid_until_ms)

    def _check_access_ended(self, viewer: Viewer, ended: EndAnswer) -> None:
        """8. After an answered end the denylist has the session, and the access rule refuses its token."""
        check_counts["an_ended_session_is_refused_at_once"] += 1
        services = self.environment.observer.services
        if services.stores.denylist.reason(ended.session_id, None) is None:
            self.broken.append(f"an_ended_session_is_refused_at_once: {ended} is not on the denylist")
        if ended.session_id in viewer.tokens:
            with self.environment.network.injecting(None):
                operation = self.media(self.environment.observer, viewer, ended.session_id)
            if isinstance(operation.answer, MediaAnswer):
                self.broken.append(f"an_ended_session_is_refused_at_once: {ended}, and yet {operation.answer}")

    def check(self, *viewers: Viewer) -> list[View]:
        """Assert that no invariant is violated for these viewers (default: all). Call it while nothing else runs."""
        views = []
        for viewer in viewers or self.viewers:
            views.append(self.view(viewer))
            self.broken += find_violations(viewer, views[-1])
        self.broken += [
            f"nothing_crashes: {each}" for each in self._schedule.operations if isinstance(each.answer, Crash)
        ]
        assert not self.broken, "\n".join(dict.fromkeys(self.broken))
        return views

    def view(self, viewer: Viewer) -> View:
        """Return the state of a viewer in the store, read without faults."""
        services = self.environment.observer.services
        with self.environment.network.injecting(None):
            wallet = services.ledger.wallet(viewer.user_id)
            newest_first = services.ledger.entries(viewer.user_id, limit=LEDGER_LIMIT, cursor=None).items
            pages = services.ledger._ledger.pages(viewer.user_id, up_to_version=LEDGER_LIMIT, limit=LEDGER_LIMIT)
            records = self.records(viewer)
            kept = rows(self.environment.settings.table_prefix + "payments", "payment_id", list(viewer.payments))
        return View(
            wallet=wallet,
            entries=list(reversed(newest_first)),
            pages=list(reversed(pages)),
            records={record.session_id: record for record in records},
            payments={row["payment_id"]: (row["user_id"], row["millipoints"], row.get("session_id")) for row in kept},
            reversals={
                row["payment_id"]: (row["reversed_millipoints"], row["shortfall_millipoints"])
                for row in kept
                if "reversed_at_ms" in row
            },
            now_ms=self.environment.time.now_ms,
            terms=self.environment.terms,
            outages=self.environment.outages,
            settling=self._settling(viewer),
        )

    def _settling(self, viewer: Viewer) -> SettlingTerms:
        gateway, settings = self.environment.gateway, self.environment.settings
        return SettlingTerms(
            served={name: served.media_ms for name, served in gateway.served.items()},
            reports=tuple(gateway.reports),
            credits=settings.settlement_credits,
            credits_per_day=settings.settlement_credits_per_day * 1_000,
            erased=viewer.erased,
        )

    def check_places(self) -> None:
        """Assert that no stream has more viewers than its limit, and that its counter has their number."""
        check_counts["a_stream_keeps_to_its_places"] += 1
        prefix = self.environment.settings.table_prefix
        with self.environment.network.injecting(None):
            wallets = self.environment.observer.services.stores.wallets.get_many(sorted(self.environment.counted_users))
            for terms in self.environment.terms.values():
                watching = [s for wallet in wallets.values() for s in wallet.sessions.values()]
                taken = sum(session.counted and session.stream_id == terms.stream_id for session in watching)
                row = rows(prefix + "limits", "limit_id", [f"viewers.{terms.stream_id}"])
                counted = row[0].get("taken", 0) if row else 0
                if taken > terms.viewers_max or taken != counted:
                    self.broken.append(
                        f"a_stream_keeps_to_its_places: {taken} watch {terms.stream_id}, which has"
                        f" {terms.viewers_max}, and its counter has {counted}"
                    )
        assert not self.broken, "\n".join(dict.fromkeys(self.broken))


def rows(table: str, key: str, values: list[str]) -> list[dict[str, Any]]:
    """Return the rows with these keys, without those that do not exist."""
    found: list[dict[str, Any]] = []
    for first in range(0, len(values), BATCH_GET_MAX):
        keys = [to_row({key: value}) for value in values[first : first + BATCH_GET_MAX]]
        answer = client("dynamodb").batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        found += [from_row(row) for row in answer["Responses"].get(table, [])]
    return found
