"""The state that all commands share: imported and built on first use, so that the list of commands is quick."""

from __future__ import annotations

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
    """The server, the stored login and the account, for commands that use `click.pass_obj`."""

    program = "player"

    def __init__(self, server_option: str | None) -> None:
        self._server_option = server_option

    @cached_property
    def store(self) -> TokenStore:
        """The stored logins, in the user's configuration directory."""
        import platformdirs

        from player.auth.tokens import TokenStore
        from player.auth.vault import Vault

        return TokenStore(Path(platformdirs.user_config_dir("tollcast")), Vault(), self.program)

    @cached_property
    def server(self) -> str:
        """The server's address without a trailing slash. Raises click.UsageError for an invalid one."""
        return checked_server(self._server_option or self.store.remembered_server() or DEFAULT_SERVER)

    def close(self) -> None:
        """Close the connections to the server, if any."""
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
    """Return a server's address in normal form. Raises click.UsageError."""
    parts = urlsplit(url.strip())
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise click.UsageError(f"{url!r} is no server address. It looks like https://tv.example.org")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
