"""The state that all commands share: the server, the operator's stored login and the account."""

from functools import cached_property
from pathlib import Path

import platformdirs

from player.auth.tokens import TokenStore
from player.auth.vault import Vault
from player.context import Context

PROGRAM = "tollcast-admin"


class AdminContext(Context):
    """The context of `player`, with logins of its own beside those of `player`.

    One person is often a viewer and an operator at one server. Each command keeps the account, and the server of its
    last login, so that `player` never plays as an operator, and a viewer's login never ends an operator's.
    """

    program = PROGRAM

    @cached_property
    def store(self) -> TokenStore:
        """The stored logins of operators."""
        directory = Path(platformdirs.user_config_dir("tollcast")) / "admin"
        return TokenStore(directory, Vault(PROGRAM), PROGRAM)
