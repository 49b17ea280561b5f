"""Viewers and operators at work: each request is noted as a deed, with what happened on its way and what came of it."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import from_row, to_row
from tests.faults.harness.drivers import HttpDoor, ServicesDoor, answer_of
from tests.faults.harness.environment import Instance, Terms, World
from tests.faults.harness.http_faults import DOUBLED
from tests.faults.harness.operations import Answer, Deed, Done, Ended, Listed, Served, Sold, View, Viewer
from tests.faults.harness.store_faults import KILLS, Faults
from tests.faults.oracle import ledger_invariants, session_invariants  # noqa: F401  (that they are known to `judging`)
from tests.faults.oracle.registry import checked, violations

LEDGER_LIMIT = 1_000
BATCH_GET_MAX = 100


class Scene:
    """Viewers in a world. Safe to use from many threads, one deed a thread at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.viewers: list[Viewer] = []
        self.broken: list[str] = []
        self.operations: Counter[str] = Counter()
        self.faulted = 0
        self._schedule = Viewer(user_id="the schedule")
        self._lock = threading.Lock()

    def viewer(self, millipoints: int, cap: int | None = None) -> Viewer:
        """A new viewer, maybe with a daily cap; the opening balance is a payment too."""
        viewer = Viewer(user_id=self.world.new_user())
        if cap is not None:
            viewer.cap = cap
            self.world.observer.services.ledger.set_daily_cap(viewer.user_id, cap)
        self.viewers.append(viewer)
        if millipoints:
            self.pay(ServicesDoor(self.world.observer), viewer, secrets.token_hex(8), millipoints)
        return viewer

    def start(self, door, viewer: Viewer, terms: Terms, *, replace=False, key="", faults=None) -> Deed:  # type: ignore[no-untyped-def]
        """A start with a key of its own, or with one that was used before."""
        key = key or secrets.token_hex(12)
        deed = Deed(kind="start", user_id=viewer.user_id, stream_id=terms.stream_id, key=key)
        if terms.viewers_max:
            self.world.counted_users.add(viewer.user_id)
        return self._do(viewer, deed, faults, door, lambda: door.start(viewer.user_id, terms, replace, key))

    def beat(self, door, viewer: Viewer, session_id: str, seq: int, *, faults=None) -> Deed:  # type: ignore[no-untyped-def]
        deed = Deed(kind="beat", user_id=viewer.user_id, session_id=session_id, seq=seq)
        return self._do(viewer, deed, faults, door, lambda: door.beat(viewer.user_id, session_id, seq))

    def renew(self, door, viewer: Viewer, session_id: str, *, faults=None) -> Deed:  # type: ignore[no-untyped-def]
        deed = Deed(kind="renew", user_id=viewer.user_id, session_id=session_id)
        return self._do(viewer, deed, faults, door, lambda: door.renew(viewer.user_id, session_id))

    def stop(self, door, viewer: Viewer, session_id: str, *, faults=None) -> Deed:  # type: ignore[no-untyped-def]
        deed = Deed(kind="stop", user_id=viewer.user_id, session_id=session_id)
        return self._do(viewer, deed, faults, door, lambda: door.stop(viewer.user_id, session_id))

    def kick(self, door, viewer: Viewer, session_id: str, *, faults=None) -> Deed:  # type: ignore[no-untyped-def]
        deed = Deed(kind="kick", user_id=viewer.user_id, session_id=session_id)
        return self._do(viewer, deed, faults, door, lambda: door.kick(viewer.user_id, session_id))

    def pay(self, door, viewer: Viewer, payment_id: str, millipoints: int, *, faults=None) -> Deed:  # type: ignore[no-untyped-def]
        deed = Deed(kind="pay", user_id=viewer.user_id, payment_id=payment_id, millipoints=millipoints)
        viewer.payments.setdefault(payment_id, set()).add(millipoints)
        return self._do(viewer, deed, faults, door, lambda: door.pay(viewer.user_id, payment_id, millipoints))

    def adjust(self, door, viewer: Viewer, session_id: str, payment_id: str, millipoints: int, *, faults=None) -> Deed:  # type: ignore[no-untyped-def]
        deed = Deed(
            kind="adjust",
            user_id=viewer.user_id,
            session_id=session_id,
            payment_id=payment_id,
            millipoints=millipoints,
        )
        viewer.payments.setdefault(payment_id, set()).add(millipoints)
        viewer.adjusted.setdefault(payment_id, session_id)
        return self._do(viewer, deed, faults, door, lambda: door.adjust(session_id, payment_id, millipoints))

    def read(self, instance: Instance, viewer: Viewer, *, faults: Faults | None = None) -> Deed:
        """Read the wallet, and then the whole ledger while others may be changing it."""
        ledger = instance.services.ledger

        def listed() -> Answer:
            wallet = ledger.wallet(viewer.user_id)
            entries = ledger.entries(viewer.user_id, limit=LEDGER_LIMIT, cursor=None).items
            return Listed(wallet=wallet, entries=list(reversed(entries)))

        return self._do(viewer, Deed(kind="read", user_id=viewer.user_id), faults, instance, listed)

    def media(self, instance: Instance, viewer: Viewer, session_id: str, *, faults: Faults | None = None) -> Deed:
        """Ask the access rule with the newest token of a session."""
        token, until_ms = viewer.tokens[session_id]
        deed = Deed(kind="media", user_id=viewer.user_id, session_id=session_id, token_until_ms=until_ms)

        def served() -> Answer:
            at_ms = instance.now_ms()
            instance.services.access.verdict(token, session_id, None)
            return Served(at_ms=at_ms)

        return self._do(viewer, deed, faults, instance, served)

    def work(self, instance: Instance, name: str, *, faults: Faults | None = None) -> Deed:
        """A run of the schedule: `catch_up` moves pages, `reap` ends lapsed sessions."""
        services = instance.services
        works: dict[str, Callable[[], object]] = {"catch_up": services.ledger.catch_up, "reap": services.playback.reap}

        def done() -> Answer:
            works[name]()
            return Done()

        return self._do(self._schedule, Deed(kind=name), faults, instance, done)

    def _do(
        self,
        viewer: Viewer,
        deed: Deed,
        faults: Faults | None,
        door: ServicesDoor | Instance | object,
        call: Callable[[], Answer],
    ) -> Deed:
        deed.began_ms = self.world.time.now_ms
        with self._lock:
            viewer.deeds.append(deed)
            self.operations[deed.kind] += 1
        with self.world.network.under(faults):
            answer = answer_of(call)
        if faults is not None:
            deed.injected = list(faults.injected)
            if not set(KILLS).isdisjoint(faults.injected):
                instance = door if isinstance(door, Instance) else getattr(door, "instance", None)
                if instance is not None:
                    instance.restart()
        if isinstance(door, HttpDoor) and door.fault is not None:
            deed.injected.append(door.fault)
            deed.times = 2 if door.fault in DOUBLED else 1
            with self._lock:
                self.world.network.counts[door.fault] += 1
        deed.answered(answer, self.world.time.now_ms)
        with self._lock:
            self.faulted += bool(deed.injected)
            self._learn(viewer, deed)
        if isinstance(answer, Ended):
            self._refused_at_once(viewer, answer)
        return deed

    @staticmethod
    def _learn(viewer: Viewer, deed: Deed) -> None:
        told = deed.answer.session_id if isinstance(deed.answer, Ended) else getattr(deed.answer, "ended", None)
        if told:
            viewer.ended.add(told)
        if not isinstance(deed.answer, Sold):
            return
        sold = deed.answer
        viewer.seqs[sold.session_id] = max(sold.seq, viewer.seqs.get(sold.session_id, 0))
        viewer.tokens[sold.session_id] = (sold.token, sold.paid_until_ms)

    def _refused_at_once(self, viewer: Viewer, ended: Ended) -> None:
        """8. Once an end is answered, the gateway's list has the session and the access rule refuses its token."""
        checked["an_ended_session_is_refused_at_once"] += 1
        services = self.world.observer.services
        if services.denylist.reason(ended.session_id, None) is None:  # type: ignore[attr-defined]
            self.broken.append(f"an_ended_session_is_refused_at_once: {ended} is not on the denylist")
        if ended.session_id in viewer.tokens:
            with self.world.network.under(None):
                deed = self.media(self.world.observer, viewer, ended.session_id)
            if isinstance(deed.answer, Served):
                self.broken.append(f"an_ended_session_is_refused_at_once: {ended}, and yet {deed.answer}")

    def check(self, *viewers: Viewer) -> list[View]:
        """Judge these viewers (all, if none is named), and the schedule; call while nothing else runs."""
        views = []
        for viewer in viewers or self.viewers:
            views.append(self.view(viewer))
            self.broken += violations(viewer, views[-1])
        self.broken += [f"nothing_crashes: {d}" for d in self._schedule.deeds if type(d.answer).__name__ == "Crashed"]
        assert not self.broken, "\n".join(dict.fromkeys(self.broken))
        return views

    def view(self, viewer: Viewer) -> View:
        """What the store says about a viewer, read without faults."""
        services = self.world.observer.services
        with self.world.network.under(None):
            wallet = services.ledger.wallet(viewer.user_id)
            newest_first = services.ledger.entries(viewer.user_id, limit=LEDGER_LIMIT, cursor=None).items
            pages = services.ledger._ledger.pages(viewer.user_id, up_to_version=LEDGER_LIMIT, limit=LEDGER_LIMIT)
            records = services.sessions.by_user(viewer.user_id, limit=LEDGER_LIMIT, cursor=None).items
            kept = rows(self.world.settings.table_prefix + "payments", "payment_id", list(viewer.payments))
        return View(
            wallet=wallet,
            entries=list(reversed(newest_first)),
            pages=list(reversed(pages)),
            records={record.session_id: record for record in records},
            payments={row["payment_id"]: (row["user_id"], row["millipoints"], row.get("session_id")) for row in kept},
            now_ms=self.world.time.now_ms,
            terms=self.world.terms,
            outages=self.world.outages,
        )

    def check_places(self) -> None:
        """A stream with a limit of viewers has no more, and its counter says how many; of all viewers of the world."""
        checked["a_stream_keeps_to_its_places"] += 1
        prefix = self.world.settings.table_prefix
        with self.world.network.under(None):
            wallets = self.world.observer.services.wallets.get_many(sorted(self.world.counted_users))
            for terms in self.world.terms.values():
                watching = [s for wallet in wallets.values() for s in wallet.sessions.values()]
                taken = sum(session.counted and session.stream_id == terms.stream_id for session in watching)
                row = rows(prefix + "limits", "limit_id", [f"viewers.{terms.stream_id}"])
                said = row[0].get("taken", 0) if row else 0
                if taken > terms.viewers_max or taken != said:
                    self.broken.append(
                        f"a_stream_keeps_to_its_places: {taken} watch {terms.stream_id}, which has"
                        f" {terms.viewers_max}, and its counter says {said}"
                    )
        assert not self.broken, "\n".join(dict.fromkeys(self.broken))


def rows(table: str, key: str, values: list[str]) -> list[dict[str, Any]]:
    """Rows of a table by their keys; those that are not there are left out."""
    found: list[dict[str, Any]] = []
    for first in range(0, len(values), BATCH_GET_MAX):
        keys = [to_row({key: value}) for value in values[first : first + BATCH_GET_MAX]]
        answer = client("dynamodb").batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        found += [from_row(row) for row in answer["Responses"].get(table, [])]
    return found
