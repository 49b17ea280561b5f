"""What the endpoints answer to nginx."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[[str, list[tuple[str, str]]], Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Answer:
    """What nginx gets. `keep` is the value of X-Accel-Expires."""

    status: int
    headers: dict[str, str]
    keep: str = "0"
    document: dict[str, Any] | None = None
