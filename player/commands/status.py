"""`player status`: checks of mpv, server and login."""

import click

from player.context import Context

NAME_WIDTH = 10


@click.command("status", short_help="Account, server and mpv.")
@click.pass_obj
def command(context: Context) -> None:
    """Show server, mpv, login, the place of the tokens, and the balance.

    Exit status: 4 if you are not logged in or the keyring is locked, 5 if the server cannot be reached, 7 if mpv is
    missing.
    """
    from player.errors import CliError
    from player.mpv.process import mpv_error, mpv_version

    mpv = mpv_version()
    _line("mpv", mpv or "missing")
    _line("Tokens", context.store.place(context.server) or "none")
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
    from player.errors import CliError
    from player.terminal.text import printable

    try:
        version = printable(str(context.account.health().get("version", "unknown")))
    except CliError:
        _line("Server", f"{context.server} (cannot be reached)")
        raise
    _line("Server", f"{context.server} (version {version})")


def _account(context: Context) -> None:
    from player.errors import CliError
    from player.terminal.formats import points
    from player.terminal.text import printable

    try:
        me = context.account.call("GET", "/me")
        balance = context.account.call("GET", "/me/wallet")["balance_millipoints"]
    except CliError as error:
        _line("Login", _login_state(error))
        raise
    _line("Login", f"{printable(me['email'])} ({printable(me['role'])})")
    _line("Balance", points(balance))


def _login_state(error: Exception) -> str:
    from player.errors import KeyringUnavailableError, LoginExpiredError, NotLoggedInError

    if isinstance(error, LoginExpiredError):
        return "expired"
    if isinstance(error, NotLoggedInError):
        return "none"
    if isinstance(error, KeyringUnavailableError):
        return "not known (the keyring is locked)"
    return "not known"


def _line(name: str, value: str) -> None:
    click.echo(f"{name + ':':<{NAME_WIDTH}}{value}")
