"""The served OpenAPI document, and its operations."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
# Bodies that need any one of several fields.
ENOUGH = {"EditUserRequest": ("disabled",), "EditStreamRequest": ("title",)}


# Queries that need any one of several parameters.
ENOUGH_IN_QUERY = {"/users/lookup": ("email",)}


@dataclass(frozen=True)
class Operation:
    """A method of a path, with the roles that may use it (empty: anyone).

    Its required names are those of the path, the body and the query.
    """

    method: str
    path: str
    roles: tuple[str, ...]
    path_names: tuple[str, ...]
    required: tuple[str, ...]
    in_query: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def of_browsers(self) -> bool:
        """Return whether it takes the refresh token as a cookie."""
        return self.path.startswith("/auth/browser/")

    @property
    def changes(self) -> bool:
        return self.method != "GET"


def operations(document: Document) -> list[Operation]:
    return list(_operations(document))


def _operations(document: Document) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            in_path = tuple(each["name"] for each in operation.get("parameters", []) if each["in"] == "path")
            required, in_query = _required(document, operation), ENOUGH_IN_QUERY.get(path, ())
            yield Operation(method.upper(), path, tuple(operation.get("x-roles", ())), in_path, required, in_query)


def _required(document: Document, operation: dict[str, Any]) -> tuple[str, ...]:
    if "requestBody" not in operation:
        return ()
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    return tuple(document["components"]["schemas"][name].get("required") or ENOUGH.get(name, ()))


def strict(document: Document) -> Document:
    """Return a copy in which answers may have only documented members.

    The document allows others, so that clients ignore new members.
    """
    closed = copy.deepcopy(document)
    _close(closed["components"]["schemas"])
    return closed


def _close(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            part.setdefault("additionalProperties", False)
        for each in part.values():
            _close(each)
    elif isinstance(part, list):
        for each in part:
            _close(each)
