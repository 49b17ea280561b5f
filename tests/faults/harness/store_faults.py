"""Faults between the functions and DynamoDB, injected where the SDK hands a request to its HTTP session.

A plan names the requests that fail, by their number within the current operation of a thread, so a run follows from
its seed. The SDK retries as usual, but without pauses and without its retry quota: no run waits or depends on another.
"""

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError
from botocore.retries.quota import RetryQuota
from botocore.useragent import UserAgentString

from chalicelib.adapters import aws
from chalicelib.services.money import billing
from tests.fixtures.emulator import forget_clients

Send = Callable[[Any], Any]


class Fault(StrEnum):
    """A fault of a request. BEFORE: it never reaches the store. AFTER: the store has done it, the answer is lost."""

    TIMEOUT_BEFORE = "timeout_before_send"
    TIMEOUT_AFTER = "timeout_after_commit"
    RESET_BEFORE = "reset_before_send"
    RESET_AFTER = "reset_after_commit"
    ERROR_BEFORE = "server_error_before"
    ERROR_AFTER = "server_error_after_commit"
    THROTTLED = "throttled"
    CONFLICT = "transaction_conflict"
    # The network sends the request twice; the caller gets the first or the second answer.
    DUPLICATE_FIRST = "duplicate_first_answer"
    DUPLICATE_SECOND = "duplicate_second_answer"
    # The caller has a time-out; the request arrives after later ones.
    LATE = "late_arrival"
    KILLED_BEFORE = "killed_before_write"
    KILLED_AFTER = "killed_after_write"


KILLS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException")
READS = ("GetItem", "BatchGetItem", "Query", "Scan")


class Killed(BaseException):
    """The process was killed. It is no `Exception`, so that no service can clean up."""


def _kill_process() -> None:
    raise Killed


@dataclass
class FaultPlan:
    """The faults of one operation, by the number of the request, of the write or of the transaction.

    `before_request` has calls that run just before a request: another function instance acts between two steps.
    """

    on_request: dict[int, Fault] = field(default_factory=dict)
    on_write: dict[int, Fault] = field(default_factory=dict)
    on_transaction: dict[int, Fault] = field(default_factory=dict)
    before_request: dict[int, Callable[[], object]] = field(default_factory=dict)
    requests: int = 0
    writes: int = 0
    transactions: int = 0
    injected: list[Fault] = field(default_factory=list)

    def next(self, operation: str) -> Fault | None:
        """Return the fault of the next request, if any."""
        write = operation not in READS
        fault = self.on_request.get(self.requests)
        act = self.before_request.pop(self.requests, None)
        self.requests += 1
        if write:
            fault = fault or self.on_write.get(self.writes)
            self.writes += 1
        if operation == "TransactWriteItems":
            fault = fault or self.on_transaction.get(self.transactions)
            self.transactions += 1
        if act is not None:
            act()
        if fault in KILLS and not write:
            return None
        if fault is not None:
            self.injected.append(fault)
        return fault


class Network:
    """The network to the store. It injects faults, counts them, and holds late requests back."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.requests = 0
        # Raise `Killed`; a separate process replaces it by a real SIGKILL.
        self.kill_process: Callable[[], None] = _kill_process
        # Writes to tables whose names end with one of these are throttled.
        self.throttled_tables: set[str] = set()
        self._late: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._thread = threading.local()

    @contextmanager
    def injecting(self, faults: FaultPlan | None) -> Iterator[None]:
        """Inject these faults into the requests of this thread; None injects none."""
        before = getattr(self._thread, "faults", None)
        self._thread.faults = faults
        try:
            yield
        finally:
            self._thread.faults = before

    def deliver_late(self, count: int | None = None) -> int:
        """Send late requests, the newest first: `count` of them, or all. Returns how many were sent."""
        landed = 0
        while count is None or landed < count:
            with self._lock:
                if not self._late:
                    return landed
                arrive = self._late.pop()
            arrive()
            landed += 1
        return landed

    def send(self, request: Any, real: Send) -> Any:
        """Send a request of the SDK, or inject a fault."""
        self.requests += 1
        faults: FaultPlan | None = getattr(self._thread, "faults", None)
        if faults is None:
            return real(request)
        operation = _operation_of(request)
        write = operation not in READS
        fault = faults.next(operation)
        if fault is None and write and self._is_throttled(request):
            fault = Fault.THROTTLED
            faults.injected.append(fault)
        if fault is None:
            return real(request)
        with self._lock:
            self.counts[fault] += 1
        return self._faulty(fault, request, real, operation)

    def _is_throttled(self, request: Any) -> bool:
        return any(f'{table}"'.encode() in bytes(request.body) for table in self.throttled_tables)

    def _faulty(self, fault: Fault, request: Any, real: Send, operation: str) -> Any:
        match fault:
            case Fault.TIMEOUT_BEFORE:
                raise ConnectTimeoutError(endpoint_url=request.url)
            case Fault.RESET_BEFORE:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.KILLED_BEFORE:
                self.kill_process()
            case Fault.THROTTLED:
                return _refusal(request, 400, THROTTLES[len(request.body) % 2])
            case Fault.ERROR_BEFORE:
                return _refusal(request, 500, "InternalServerError")
            case Fault.CONFLICT:
                return _conflict(request, operation)
            case Fault.LATE:
                with self._lock:
                    self._late.append(lambda: real(request))
                raise ReadTimeoutError(endpoint_url=request.url)
        first = real(request)
        match fault:
            case Fault.TIMEOUT_AFTER:
                raise ReadTimeoutError(endpoint_url=request.url)
            case Fault.RESET_AFTER:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.KILLED_AFTER:
                self.kill_process()
            case Fault.ERROR_AFTER:
                return _refusal(request, 500, "InternalServerError")
            case Fault.DUPLICATE_FIRST:
                real(request)
                return first
        return real(request)


def _operation_of(request: Any) -> str:
    target = request.headers["X-Amz-Target"]
    text = target.decode() if isinstance(target, bytes) else str(target)
    return text.rsplit(".", 1)[1]


def _conflict(request: Any, operation: str) -> AWSResponse:
    """Return a conflict in the store's format. Reads are throttled instead."""
    if operation in READS:
        return _refusal(request, 400, THROTTLES[0])
    if operation != "TransactWriteItems":
        return _refusal(request, 400, "TransactionConflictException")
    reasons: list[dict[str, str]] = [{"Code": "None"} for _ in json.loads(request.body)["TransactItems"]]
    reasons[0] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    return _refusal(request, 400, "TransactionCanceledException", CancellationReasons=reasons)


def _refusal(request: Any, status: int, code: str, **more: object) -> AWSResponse:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected", **more}).encode()
    return AWSResponse(request.url, status, {"Content-Type": "application/x-amz-json-1.0"}, _Body(body))


class _Body(io.BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


class _Session:
    """The HTTP session of the SDK, behind a `Network`."""

    def __init__(self, network: Network, real: Any) -> None:
        self._network = network
        self._real = real

    def send(self, request: Any) -> Any:
        return self._network.send(request, self._real.send)

    def close(self) -> None:
        self._real.close()


@contextmanager
def faulty_network() -> Iterator[Network]:
    """Put a `Network` in front of the DynamoDB client of this process, and remove the pauses of retries."""
    network = Network()
    # With a new client, clients that exist before or after this block have no faults.
    forget_clients()
    endpoint = aws.client("dynamodb")._endpoint
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint, "http_session", _Session(network, endpoint.http_session))
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
        patch.setattr(RetryQuota, "acquire", lambda self, amount: True)
        # The SDK formats its user agent for each request, which is a tenth of its work.
        patch.setattr(UserAgentString, "to_string", lambda self: "fault-suite")
        patch.setattr(billing, "BACKOFF_S_MAX", 0.0)
        yield network
    forget_clients()
