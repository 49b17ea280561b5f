"""The option `--json FIELDS`: answers for scripts, with the fields that the script names."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

ALL = "all"
Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """Add the option to a command."""
    return click.option(
        "--json",
        "json_fields",
        metavar="FIELDS",
        help="Print JSON with these fields, divided by commas: --json user_id,email. `all` prints every field.",
    )(command)


def json_text(value: Mapping[str, Any] | Sequence[Mapping[str, Any]], fields: str, indent: int | None = 2) -> str:
    """Return an item or a list as JSON with the named fields. Raise click.UsageError for unknown ones."""
    if isinstance(value, Mapping):
        return json.dumps(_chosen(value, fields), indent=indent)
    return json.dumps([_chosen(item, fields) for item in value], indent=indent)


def _chosen(item: Mapping[str, Any], fields: str) -> dict[str, Any]:
    if fields == ALL:
        return dict(item)
    names = [name.strip() for name in fields.split(",")]
    if unknown := [name for name in names if name not in item]:
        raise click.UsageError(f"No field {', '.join(map(repr, unknown))}. There are: {', '.join(item)}")
    return {name: item[name] for name in names}
