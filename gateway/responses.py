"""Responses of the endpoints to nginx, and the types of WSGI."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class Response:
    """One response. `accel_expires` is the header X-Accel-Expires: how long nginx may cache the response."""

    status: int
    headers: dict[str, str]
    accel_expires: str = "0"
    document: dict[str, Any] | None = None
