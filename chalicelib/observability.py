"""Structured logs and embedded metrics of the functions: one JSON line for each event (powertools)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

NAMESPACE = "Tollcast"
SERVICE = "tollcast-functions"
# What each line of the request in progress has.
_of_request: ContextVar[Mapping[str, str] | None] = ContextVar("of_request", default=None)


@cache
def logger() -> Logger:
    """Return the process's logger. Never log a token, a password or a signed query."""
    from aws_lambda_powertools import Logger

    # Chalice has a logger with the app's name, which would write each line twice.
    return Logger(service=SERVICE, utc=True)


@contextmanager
def request_log(**values: str) -> Iterator[None]:
    """Add values to all lines that are logged within, those of `add_to_log` too."""
    token = _of_request.set(values)
    try:
        yield
    finally:
        _of_request.reset(token)


def add_to_log(**values: object) -> None:
    """Add values to the following lines of this request. Empty ones and those that are no text are left out."""
    _of_request.set({**(_of_request.get() or {}), **{k: v for k, v in values.items() if isinstance(v, str) and v}})


def report_error(message: str, **values: Any) -> None:
    """Log an error with values by name."""
    logger().error(message, **{**(_of_request.get() or {}), **values})


def report_problem(status: int, code: str, path: str, error: Exception) -> None:
    """Log an error response: a server error with its trace and path, any other in one short line."""
    values: dict[str, Any] = {**(_of_request.get() or {}), "status": status, "code": code}
    if status >= 500:
        logger().error("request failed", path=path, exc_info=error, **values)
    else:
        logger().info("request refused", **values)


def emit_metrics(stage: str, values: Mapping[str, float]) -> None:
    """Print counts in CloudWatch's embedded metric format, which Lambda's log turns into metrics of the stage."""
    if not values:
        return
    from aws_lambda_powertools import Metrics
    from aws_lambda_powertools.metrics import MetricUnit

    metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
    metrics.add_dimension(name="stage", value=stage)
    for name, value in values.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()
