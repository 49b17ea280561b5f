"""`player status`: checks of mpv, server and login."""

import click

from player.context import Context
from player.errors import CliError, KeyringUnavailableError, LoginExpiredError, NotLoggedInError
from player.mpv.process import mpv_error, mpv_version
from player.terminal.formats import points
from player.terminal.output import print_field
from player.terminal.text import printable

NAME_WIDTH = 9


@click.command("status")
@click.pass_obj
def command(context: Context) -> None:
    """Show server, mpv, login, the place of the tokens, and the balance.

    Exit status: 4 if you are not logged in or the keyring is locked, 5 if the server cannot be reached, 7 if mpv is
    missing.
    """
    mpv = mpv_version()
    print_field("mpv", mpv or "missing", NAME_WIDTH)
    print_field("Tokens", context.store.place(context.server) or "none", NAME_WIDTH)
    failure: CliError | None = None
    for part in (_server, _account):
        try:
            part(context)
        except CliError as error:
            failure = failure or error
    if failure is None and mpv is None:
        failure = mpv_error("mpv is not installed.", "Install it: apt-get install mpv (or from https://mpv.io)")
    if failure is not None:
        raise failure


def _server(context: Context) -> None:
    try:
        version = printable(str(context.account.health().get("version", "unknown")))
    except CliError:
        print_field("Server", f"{context.server} (cannot be reached)", NAME_WIDTH)
        raise
    print_field("Server", f"{context.server} (version {version})", NAME_WIDTH)


def _account(context: Context) -> None:
    try:
        me = context.account.call("GET", "/me")
        balance = context.account.call("GET", "/me/wallet")["balance_millipoints"]
    except CliError as error:
        print_field("Login", _login_state(error), NAME_WIDTH)
        raise
    print_field("Login", f"{printable(me['email'])} ({printable(me['role'])})", NAME_WIDTH)
    print_field("Balance", points(balance), NAME_WIDTH)


def _login_state(error: Exception) -> str:
    if isinstance(error, LoginExpiredError):
        return "expired"
    if isinstance(error, NotLoggedInError):
        return "none"
    if isinstance(error, KeyringUnavailableError):
        return "not known (the keyring is locked)"
    return "not known"
