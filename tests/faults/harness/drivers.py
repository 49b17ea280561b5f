"""Drivers send requests to the product: to its services in this process, or over HTTP. Both return the same answers.

A new operation is added to both drivers and to `scenarios/recorder.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from chalicelib.domain.access.clients import Client
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.errors import DomainError
from chalicelib.domain.money.errors import SessionOver
from chalicelib.domain.money.sessions import SessionRecord
from chalicelib.domain.money.settlement import awaits_settlement
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.money.billing import Beat
from tests.faults.harness.environment import Environment, FunctionInstance, StreamTerms
from tests.faults.harness.http_faults import HttpFault
from tests.faults.harness.operations import (
    Answer,
    Crash,
    EndAnswer,
    LeaseAnswer,
    PaymentAnswer,
    Refusal,
    ReversalAnswer,
    UnknownOutcome,
    WorkAnswer,
)
from tests.faults.harness.store_faults import Killed


def answer_of(call: Callable[[], Answer]) -> Answer:
    """Return the outcome of a request, also of one that raises."""
    try:
        return call()
    except SessionOver as over:
        return Refusal(code=over.code, ended=over.extra.get("session_id"))
    except DomainError as error:
        return Refusal(code=error.code)
    except StoreUnavailable as error:
        return UnknownOutcome(why=str(error))
    except Killed:
        return UnknownOutcome(why="killed")
    except Exception as error:
        return Crash(error=repr(error))


class ServicesDriver:
    """Calls the services of one function instance."""

    def __init__(self, instance: FunctionInstance) -> None:
        self.instance = instance

    def start(self, user_id: str, terms: StreamTerms, replace: bool, key: str) -> Answer:
        beat = self.instance.services.playback.start(
            user_id,
            terms.stream_id,
            client=Client(ip="127.0.0.1", user_agent="mpv"),
            replace=replace,
            max_points=terms.max_points,
            idempotency_key=key,
        )
        return self._sold(user_id, beat)

    def beat(self, user_id: str, session_id: str, seq: int) -> Answer:
        return self._sold(user_id, self.instance.services.billing.heartbeat(user_id, session_id, seq))

    def renew(self, user_id: str, session_id: str) -> Answer:
        return self._sold(user_id, self.instance.services.playback.renew(user_id, session_id))

    def stop(self, user_id: str, session_id: str) -> Answer:
        return _ended(self.instance.services.playback.stop(user_id, session_id))

    def kick(self, user_id: str, session_id: str) -> Answer:
        return _ended(self.instance.services.kicks.kick(session_id).record)

    def pay(self, user_id: str, payment_id: str, millipoints: int) -> Answer:
        wallet = self.instance.services.ledger.credit(
            user_id=user_id, millipoints=millipoints, payment_id=payment_id, note="a note", by_user_id="u_admin"
        )
        return PaymentAnswer(balance=wallet.balance_millipoints)

    def adjust(self, session_id: str, payment_id: str, millipoints: int) -> Answer:
        wallet = self.instance.services.reconciliation.adjust(
            session_id, millipoints=millipoints, payment_id=payment_id, note="a note", by_user_id="u_admin"
        )
        return PaymentAnswer(balance=wallet.balance_millipoints)

    def reverse(self, payment_id: str) -> Answer:
        ledger = self.instance.services.ledger
        done = ledger.reverse(ledger.payment(payment_id), by_user_id="u_admin", note="a note")
        return ReversalAnswer(taken=done.reversed_millipoints or 0, shortfall=done.shortfall_millipoints or 0)

    def settle(self, session_id: str) -> Answer:
        """Settle an ended session as the schedule does, whose log is complete."""
        services = self.instance.services
        record = services.stores.sessions.get(session_id)
        if record is not None and awaits_settlement(record):
            entries = list(services.statements.session_entries(record))
            services.settlements.settle(record, entries, services.reconciliation.served(session_id))
        return WorkAnswer()

    def erase(self, user_id: str) -> Answer:
        self.instance.services.erasure.erase(user_id)
        return WorkAnswer()

    def _sold(self, user_id: str, beat: Beat) -> LeaseAnswer:
        session = beat.session
        return LeaseAnswer(
            session_id=session.session_id,
            seq=session.seq,
            outcome=beat.outcome.value,
            charged=beat.charged_millipoints,
            balance=beat.wallet.balance_millipoints,
            paid_until_ms=session.paid_until_ms,
            token=self.instance.services.access.issue(user_id, session)[0],
        )


def _ended(record: SessionRecord) -> EndAnswer:
    assert record.end_reason is not None
    return EndAnswer(
        session_id=record.session_id,
        reason=record.end_reason.value,
        charged=record.charged_millipoints or 0,
        refunded=record.refunded_millipoints or 0,
        reserved=record.reserved_millipoints or 0,
    )


class HttpDriver:
    """A driver that sends requests to the running API, and requests a fault from the proxy in front of it."""

    def __init__(self, environment: Environment, http: httpx.Client, fault: HttpFault | None = None) -> None:
        self._environment = environment
        self._http = http
        self.fault = fault

    def start(self, user_id: str, terms: StreamTerms, replace: bool, key: str) -> Answer:
        body: dict[str, Any] = {"stream_id": terms.stream_id, "replace": replace, "idempotency_key": key}
        if terms.max_points is not None:
            body["max_points"] = terms.max_points
        return self._send("/playback/start", body, _lease, user_id)

    def beat(self, user_id: str, session_id: str, seq: int) -> Answer:
        return self._send("/playback/heartbeat", {"session_id": session_id, "seq": seq}, _lease, user_id)

    def renew(self, user_id: str, session_id: str) -> Answer:
        return self._send("/playback/renew", {"session_id": session_id}, _lease, user_id)

    def stop(self, user_id: str, session_id: str) -> Answer:
        return self._send("/playback/stop", {"session_id": session_id}, _end, user_id)

    def kick(self, user_id: str, session_id: str) -> Answer:
        return self._send("/playback/kick", {"session_id": session_id}, _end)

    def pay(self, user_id: str, payment_id: str, millipoints: int) -> Answer:
        return self._pay(f"/wallets/{user_id}/credit", payment_id, millipoints)

    def adjust(self, session_id: str, payment_id: str, millipoints: int) -> Answer:
        return self._pay(f"/sessions/{session_id}/adjust", payment_id, millipoints)

    def reverse(self, payment_id: str) -> Answer:
        return self._send(f"/payments/{payment_id}/reverse", {"note": "a note"}, _reversal)

    def erase(self, user_id: str) -> Answer:
        return self._send(f"/users/{user_id}/erase", {}, lambda _: WorkAnswer())

    def _pay(self, path: str, payment_id: str, millipoints: int) -> Answer:
        body = {"millipoints": millipoints, "payment_id": payment_id, "note": "a note"}
        return self._send(path, body, lambda document: PaymentAnswer(balance=document["balance_millipoints"]))

    def _send(
        self, path: str, body: dict[str, Any], read: Callable[[dict[str, Any]], Answer], viewer_id: str = ""
    ) -> Answer:
        """Send a request of a viewer, or of the operator. `read` returns the answer of a success."""
        environment = self._environment
        token = environment.access(viewer_id or environment.operator_id, Role.VIEWER if viewer_id else Role.ADMIN)
        headers = {"Authorization": f"Bearer {token}"} | ({"X-Fault": self.fault.value} if self.fault else {})
        try:
            response = self._http.post(path, json=body, headers=headers)
            document = response.json()
        except httpx.HTTPError as error:
            return UnknownOutcome(why=repr(error))
        if response.status_code < 300:
            return read(document)
        if document["code"] == "unavailable":
            return UnknownOutcome(why="503 unavailable")
        if response.status_code == 500:
            return Crash(error=response.text)
        return Refusal(code=document["code"], ended=document.get("session_id") if "end_reason" in document else None)


def _lease(document: dict[str, Any]) -> LeaseAnswer:
    return LeaseAnswer(
        session_id=document["session_id"],
        seq=document["seq"],
        outcome=document["outcome"],
        charged=document["charged_millipoints"],
        balance=document["balance_millipoints"],
        paid_until_ms=document["paid_until_ms"],
        token=document["play_token"],
    )


def _reversal(document: dict[str, Any]) -> ReversalAnswer:
    return ReversalAnswer(taken=document["reversed_millipoints"], shortfall=document["shortfall_millipoints"])


def _end(document: dict[str, Any]) -> EndAnswer:
    return EndAnswer(
        session_id=document["session_id"],
        reason=document["end_reason"],
        charged=document["charged_millipoints"],
        refunded=document["refunded_millipoints"],
        reserved=document["reserved_millipoints"],
    )
