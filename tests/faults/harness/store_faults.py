"""Faults between the functions and DynamoDB, injected where the SDK hands a request to its HTTP session.

What happens to a request is said beforehand, by its number within the operation that is under way in this thread, so a
run follows from its seed. The SDK's own retries see the faults as they would see real ones; only their pauses are left
out, and their quota, so that a run neither waits nor depends on what was run before it.
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
from chalicelib.services import billing
from tests.fixtures.emulator import forget_clients

Send = Callable[[Any], Any]


class Fault(StrEnum):
    """What happens to a request. BEFORE: the store never sees it. AFTER: the store has done it, the answer is lost."""

    TIMEOUT_BEFORE = "timeout_before_send"
    TIMEOUT_AFTER = "timeout_after_commit"
    RESET_BEFORE = "reset_before_send"
    RESET_AFTER = "reset_after_commit"
    ERROR_BEFORE = "server_error_before"
    ERROR_AFTER = "server_error_after_commit"
    THROTTLED = "throttled"
    CONFLICT = "transaction_conflict"
    # Sent twice by the network; the caller gets the answer to the first or to the second.
    DUPLICATE_FIRST = "duplicate_first_answer"
    DUPLICATE_SECOND = "duplicate_second_answer"
    # The caller has a time-out now; the request arrives later, after others that were sent after it.
    LATE = "late_arrival"
    KILLED_BEFORE = "killed_before_write"
    KILLED_AFTER = "killed_after_write"


KILLS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
# After these the caller cannot know whether the store has done it.
AMBIGUOUS = {
    Fault.TIMEOUT_AFTER,
    Fault.RESET_AFTER,
    Fault.ERROR_AFTER,
    Fault.DUPLICATE_FIRST,
    Fault.DUPLICATE_SECOND,
    Fault.LATE,
    *KILLS,
}
THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException")
READS = ("GetItem", "BatchGetItem", "Query", "Scan")


class Killed(BaseException):
    """The process is gone: not an Exception, so that no service can clean up after it."""


def _die() -> None:
    raise Killed


@dataclass
class Faults:
    """What happens to the requests of one operation: by number of the request, of the write, of the transaction.

    `meanwhile` runs just before a request is sent: another function instance acts between two steps of this one.
    """

    on_request: dict[int, Fault] = field(default_factory=dict)
    on_write: dict[int, Fault] = field(default_factory=dict)
    on_transaction: dict[int, Fault] = field(default_factory=dict)
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    requests: int = 0
    writes: int = 0
    transactions: int = 0
    injected: list[Fault] = field(default_factory=list)

    def next(self, operation: str) -> Fault | None:
        """The fault of the next request, None for a request that simply works."""
        write = operation not in READS
        fault = self.on_request.get(self.requests)
        act = self.meanwhile.pop(self.requests, None)
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

    @property
    def ambiguous(self) -> bool:
        """Whether a write may have been done though its caller was told otherwise."""
        return not AMBIGUOUS.isdisjoint(self.injected)


class Network:
    """All clients' way to the store: late requests, tables that refuse writes, and counts of what was injected."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.requests = 0
        # What a death is: in a process of its own, a real one.
        self.die: Callable[[], None] = _die
        # Writes to a table whose name ends so are throttled, for as long as it stands here.
        self.refusing: set[str] = set()
        self._late: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._here = threading.local()

    @contextmanager
    def under(self, faults: Faults | None) -> Iterator[None]:
        """Whatever this thread sends meanwhile meets these faults; None is a network without any."""
        before = getattr(self._here, "faults", None)
        self._here.faults = faults
        try:
            yield
        finally:
            self._here.faults = before

    def land(self, count: int | None = None) -> int:
        """Let so many late requests arrive (the newest first, so out of order), or all; answers how many did."""
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
        """Stands for the HTTP session's `send`."""
        self.requests += 1
        faults: Faults | None = getattr(self._here, "faults", None)
        if faults is None:
            return real(request)
        operation = _operation(request)
        write = operation not in READS
        fault = faults.next(operation)
        if fault is None and write and self._refuses(request):
            fault = Fault.THROTTLED
            faults.injected.append(fault)
        if fault is None:
            return real(request)
        with self._lock:
            self.counts[fault] += 1
        return self._faulty(fault, request, real, operation)

    def _refuses(self, request: Any) -> bool:
        return any(f'{table}"'.encode() in bytes(request.body) for table in self.refusing)

    def _faulty(self, fault: Fault, request: Any, real: Send, operation: str) -> Any:
        match fault:
            case Fault.TIMEOUT_BEFORE:
                raise ConnectTimeoutError(endpoint_url=request.url)
            case Fault.RESET_BEFORE:
                raise ConnectionClosedError(endpoint_url=request.url)
            case Fault.KILLED_BEFORE:
                self.die()
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
                self.die()
            case Fault.ERROR_AFTER:
                return _refusal(request, 500, "InternalServerError")
            case Fault.DUPLICATE_FIRST:
                real(request)
                return first
        return real(request)


def _operation(request: Any) -> str:
    target = request.headers["X-Amz-Target"]
    text = target.decode() if isinstance(target, bytes) else str(target)
    return text.rsplit(".", 1)[1]


def _conflict(request: Any, operation: str) -> AWSResponse:
    """As the store says it: a cancelled transaction names its reasons; a read never meets a conflict."""
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
    """The SDK's HTTP session with the network between."""

    def __init__(self, network: Network, real: Any) -> None:
        self._network = network
        self._real = real

    def send(self, request: Any) -> Any:
        return self._network.send(request, self._real.send)

    def close(self) -> None:
        self._real.close()


@contextmanager
def faulty_network() -> Iterator[Network]:
    """Put a network between this process's DynamoDB client and the store, and leave out all pauses of retries."""
    network = Network()
    # A client of one's own, so that a client made before this, or after it, has no faults.
    forget_clients()
    endpoint = aws.client("dynamodb")._endpoint
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint, "http_session", _Session(network, endpoint.http_session))
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
        patch.setattr(RetryQuota, "acquire", lambda self, amount: True)
        # A tenth of the SDK's work goes into writing its own name anew for each request.
        patch.setattr(UserAgentString, "to_string", lambda self: "fault-suite")
        patch.setattr(billing, "BACKOFF_S_MAX", 0.0)
        yield network
    forget_clients()
