"""The port `Errors`: counts survive a restart of the process, and every process adds to the same rows."""

from typing import Any

import pytest

from chalicelib.adapters.operations import dynamodb_errors
from chalicelib.adapters.operations.dynamodb_errors import FLUSH_EVERY_MS, DynamoErrors
from chalicelib.config import Settings
from chalicelib.domain.operations.error_counts import ErrorCount, ErrorKind
from chalicelib.ports.common import StoreUnavailable
from chalicelib.stores import Stores
from tests.fakes.simple import SetClock

NOW = 1_800_000_030_000
START = ErrorKind(status=404, code="stream_not_found", method="POST", route="/playback/start")
BUSY = ErrorKind(status=503, code="unavailable", method="GET", route="/streams/{stream_id}")


def counted(kind: ErrorKind, count: int, first_ms: int, last_ms: int, request_id: str | None) -> ErrorCount:
    minute_ms = last_ms - last_ms % 60_000
    times = {"first_at_ms": first_ms, "last_at_ms": last_ms, "last_minute_ms": minute_ms}
    return ErrorCount(**vars(kind), count=count, last_request_id=request_id, **times)


def test_errors_are_counted_by_code_and_route(stores: Stores) -> None:
    errors = stores.errors
    for request_id in ("a", "", "b", ""):
        errors.add(START, request_id)
    errors.add(BUSY, "")
    now_ms = stores.clock.now_ms()
    [start], [busy] = errors.listing("4xx"), errors.listing("5xx")
    assert (start.count, start.last_request_id, start.route) == (4, "b", START.route)
    assert abs(start.last_at_ms - now_ms) < 60_000 and start.first_at_ms <= start.last_at_ms
    assert (busy.count, busy.status, busy.last_request_id) == (1, 503, None)


def test_a_restart_goes_on_counting(settings: Settings) -> None:
    clock = SetClock(NOW)
    for number in range(3):
        process = DynamoErrors(settings.table_prefix, clock)
        for _ in range(2):
            process.add(START, f"r{number}")
            process.flush_if_due()
            clock.advance(FLUSH_EVERY_MS)
    found = DynamoErrors(settings.table_prefix, clock).listing("4xx")
    assert found == [counted(START, 6, NOW, NOW + 5 * FLUSH_EVERY_MS, "r2")]


def test_what_could_not_be_written_is_written_later(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    errors, clock = DynamoErrors(settings.table_prefix, SetClock(NOW)), SetClock(NOW)
    errors._clock = clock

    def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("stub")

    errors.add(START, "first")
    with monkeypatch.context() as patch:
        patch.setattr(dynamodb_errors, "call", fail)
        errors.flush_if_due()
    clock.advance(1_000)
    errors.add(START, "")
    assert list(errors.listing("4xx")) == [counted(START, 2, NOW, NOW + 1_000, "first")]
    assert list(errors.listing("5xx")) == []
