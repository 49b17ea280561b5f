"""`player status`: is everything that watching needs in order?"""

import click

from player.context import Context

WIDTH = 10


@click.command("status")
@click.pass_obj
def command(context: Context) -> None:
    """Show server, login, balance, where the tokens are kept, and mpv.

    Exits with 4 when you are not logged in (or the keyring is locked), 5 when the server cannot be reached.
    """
    from player.errors import CliError
    from player.formats import points, printable
    from player.mpv_process import mpv_version

    _line("Server", context.server)
    _line("mpv", mpv_version() or "not found. Install it: apt-get install mpv (or from https://mpv.io)")
    _line("Tokens", context.store.place(context.server) or "none")
    try:
        me = context.account.call("GET", "/me")
        wallet = context.account.call("GET", "/me/wallet")
    except CliError as error:
        _line("Login", _state_of(error))
        raise
    _line("Login", f"{printable(me['email'])} ({printable(me['role'])})")
    _line("Balance", points(wallet["balance_millipoints"]))


def _state_of(error: Exception) -> str:
    from player.errors import KeyringUnavailableError, NotLoggedInError, UnreachableError

    if isinstance(error, UnreachableError):
        return "not known, the server cannot be reached"
    if isinstance(error, KeyringUnavailableError):
        return "not known, the keyring is locked"
    return "expired" if isinstance(error, NotLoggedInError) and "expired" in error.message else "none"


def _line(name: str, value: str) -> None:
    click.echo(f"{name + ':':<{WIDTH}}{value}")
