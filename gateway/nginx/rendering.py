"""Filling in the templates of nginx's configurations, with values that nginx cannot misread."""

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"@([A-Z][A-Z0-9_]*)@")
_INCLUDE = re.compile(r"@include ([a-z_]+\.conf)@")
# In nginx's strings a quote ends the string, a dollar begins a variable and a backslash escapes.
_UNSAFE = re.compile(r"[\"$\\\x00-\x1f]")
_SOCKET = re.compile(r"/[A-Za-z0-9_./-]{1,106}")


class GatewayConfigError(Exception):
    """A value cannot stand in nginx's configuration."""


def filled(template: Path, values: Mapping[str, str]) -> str:
    """The template's text with every `@NAME@` replaced by its value and every `@include x.conf@` by that file."""
    text = _included(template.read_text(), template)
    return _NAME.sub(lambda found: _indented(found, values[found[1]]), text)


def _included(text: str, template: Path) -> str:
    def content(name: str) -> str:
        return _included((template.with_name("snippets") / name).read_text().rstrip(), template)

    return _INCLUDE.sub(lambda found: _indented(found, content(found[1])), text)


def _indented(found: re.Match[str], value: str) -> str:
    """A value of several lines goes on at the column of the first."""
    before = found.string[: found.start()].rpartition("\n")[2]
    return value.replace("\n", "\n" + before) if before.isspace() else value


def user_line(user: str | None) -> str:
    """The line that names the user of nginx's workers, for an nginx that starts as root."""
    return f"user {plain(user)};" if user else "# Not root: nginx runs as whoever started it."


def plain(value: str) -> str:
    """A value that stands outside quotes. Raises `GatewayConfigError`."""
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", value):
        raise GatewayConfigError(f"{value!r} cannot stand in nginx's configuration")
    return value


def socket_path(path: Path) -> str:
    """The path of a unix socket. Raises `GatewayConfigError`."""
    if not _SOCKET.fullmatch(str(path)):
        raise GatewayConfigError(f"{path} cannot be a socket: plain characters, 107 of them at most")
    return str(path)


def quotable(path: Path) -> str:
    """A path that stands in quotes. Raises `GatewayConfigError`."""
    if _UNSAFE.search(str(path)):
        raise GatewayConfigError(f"{str(path)!r} cannot stand in nginx's configuration: no quotes, $ or backslashes")
    return str(path)
