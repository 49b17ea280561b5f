"""Paths of the API's routes, of which some parts are arguments."""

from urllib.parse import quote

import click


def path_of(*parts: str) -> str:
    """Return a path from its parts. Raise click.UsageError for a part that cannot be one."""
    for part in parts:
        # HTTP clients resolve dots in a path, however they are written, and drop an empty part: another route answers.
        if part in ("", ".", ".."):
            raise click.UsageError(f"{part!r} is no id.")
    return "".join(f"/{quote(part, safe='')}" for part in parts)
