"""Rendering of nginx configuration templates, with values that nginx cannot misread."""

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(r"@([A-Z][A-Z0-9_]*)@")
# In nginx's strings a quote ends the string, a dollar begins a variable and a backslash escapes.
_UNSAFE = re.compile(r"[\"$\\\x00-\x1f]")
_SOCKET = re.compile(r"/[A-Za-z0-9_./-]{1,106}")


class GatewayConfigError(Exception):
    """A value that nginx's configuration cannot hold."""


def render_template(template: Path, values: Mapping[str, str]) -> str:
    """Return the template's text with every `@NAME@` replaced by its value."""
    return _NAME.sub(lambda found: _indent(found, values[found[1]]), template.read_text())


def _indent(found: re.Match[str], value: str) -> str:
    """Indent the further lines of a value like its first."""
    before = found.string[: found.start()].rpartition("\n")[2]
    return value.replace("\n", "\n" + before) if before.isspace() else value


def user_directive(user: str | None) -> str:
    """Return the directive that sets the user of nginx's workers, for an nginx that root starts."""
    return f"user {unquoted(user)};" if user else "# nginx does not start as root, so it keeps its user."


def unquoted(value: str) -> str:
    """Return the value if it is safe without quotes, else raise `GatewayConfigError`."""
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", value):
        raise GatewayConfigError(f"nginx's configuration cannot hold {value!r}. Use letters, digits and _ . : - only.")
    return value


def socket_path(path: Path) -> str:
    """Return the path of a unix socket if it is safe without quotes, else raise `GatewayConfigError`."""
    if not _SOCKET.fullmatch(str(path)):
        raise GatewayConfigError(f"{path} cannot be a socket. Use at most 107 letters, digits and _ . / - only.")
    return str(path)


def quoted(path: Path) -> str:
    """Return the path if it is safe in double quotes, else raise `GatewayConfigError`."""
    if _UNSAFE.search(str(path)):
        raise GatewayConfigError(f"nginx's configuration cannot hold {str(path)!r}. Remove quotes, $ and backslashes.")
    return str(path)
