"""What all commands share: which server, which token store. Built on first use, so that `--help` is quick."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from player.auth.account import Account
    from player.auth.tokens import TokenStore
    from player.http.client import Http

DEFAULT_SERVER = "http://127.0.0.1:8080"


class Context:
    """Shared state of one run of the command, handed to the commands by `click.pass_obj`."""

    def __init__(self, server_option: str | None) -> None:
        self._server_option = server_option

    @cached_property
    def store(self) -> TokenStore:
        """The store of logins, in the user's configuration directory."""
        import platformdirs

        from player.auth.tokens import TokenStore
        from player.auth.vault import Vault

        return TokenStore(Path(platformdirs.user_config_dir("tollcast")), Vault())

    @cached_property
    def server(self) -> str:
        """The server's address without a slash at its end. Raises click.UsageError for what is no address."""
        return checked_server(self._server_option or self.store.remembered_server() or DEFAULT_SERVER)

    def close(self) -> None:
        """Close the connections to the server, where there are any."""
        if "_http" in self.__dict__:
            self._http.close()

    @cached_property
    def _http(self) -> Http:
        from player.http.client import Http

        return Http(self.server)

    @cached_property
    def account(self) -> Account:
        """The account on the server."""
        from player.auth.account import Account

        return Account(self._http, self.store)


def checked_server(url: str) -> str:
    """Return a server's address in its plain form. Raises click.UsageError."""
    parts = urlsplit(url.strip())
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise click.UsageError(f"{url!r} is no server address. It looks like https://tv.example.org")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def sentence(text: str, err: bool = False) -> None:
    """Print a sentence, broken between words where the terminal is narrower."""
    from player.terminal.formats import wrapped

    click.echo("\n".join(wrapped(text, terminal_width())), err=err)


def terminal_width() -> int:
    """Return the width of the terminal in cells, 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns
