"""`tollcast-admin users`: accounts, their roles and passwords."""

from typing import Any

import click

from player.http.paths import path_of
from player.terminal.output import print_sentence, terminal_width
from player.terminal.text import printable
from tollcast_admin.context import AdminContext
from tollcast_admin.display.columns import Column
from tollcast_admin.display.fields import field_lines
from tollcast_admin.display.timeline import timeline_lines
from tollcast_admin.display.values import text_of, when_of
from tollcast_admin.options.confirmation import (
    confirm,
    confirm_by_typing,
    new_password,
    password_option,
    yes_option,
)
from tollcast_admin.options.exit_statuses import STATUSES
from tollcast_admin.options.json_fields import json_option, json_text
from tollcast_admin.options.lists import ListView, list_options, show_list
from tollcast_admin.options.values import user_id_of
from tollcast_admin.options.versions import change, version_option

ROLES = ("viewer", "operator", "finance", "admin")
COLUMNS = (
    Column("EMAIL", lambda each: each["email"], cells_min=16),
    Column("USER", lambda each: each["user_id"]),
    Column("ROLE", lambda each: each["role"]),
    Column("DISABLED", lambda each: text_of(each["disabled"])),
    Column("CREATED", lambda each: when_of(each["created_at_ms"]), rank=1),
)


@click.group("users")
def command() -> None:
    """Look up accounts, create and change them. USER is an email or an id."""


@command.command("list", epilog=STATUSES)
@click.argument("search", required=False)
@click.option("--role", type=click.Choice(ROLES), help="Only accounts with this role.")
@click.option("--disabled/--enabled", default=None, help="Only disabled accounts, or only others.")
@list_options
@click.pass_obj
def list_users(
    context: AdminContext,
    search: str | None,
    role: str | None,
    disabled: bool | None,
    limit: int,
    json_fields: str | None,
) -> None:
    """List the accounts by email. SEARCH is how the email begins, or an id.

    \b
      tollcast-admin users list demo
      tollcast-admin users list --role admin
      tollcast-admin users list --disabled --json email,user_id
    """
    filters = {"q": search, "role": role, "disabled": disabled}
    show_list(context, ListView("/users", COLUMNS, "There is no such account.", filters), limit, json_fields)


@command.command("show", epilog=STATUSES)
@click.argument("user")
@json_option
@click.pass_obj
def show_user(context: AdminContext, user: str, json_fields: str | None) -> None:
    """Show an account.

    \b
      tollcast-admin users show demo@local
    """
    account = context.account.call("GET", path_of("users", user_id_of(context, user)))
    if json_fields is not None:
        click.echo(json_text(account, json_fields))
        return
    _show(account)


@command.command("timeline", epilog=STATUSES)
@click.argument("user")
@list_options
@click.pass_obj
def timeline(context: AdminContext, user: str, limit: int, json_fields: str | None) -> None:
    """List what a user did and what was done: sessions, money, logins, acts of operators, newest first.

    \b
      tollcast-admin users timeline demo@local --limit 20
    """
    path = path_of("users", user_id_of(context, user), "timeline")
    show_list(context, ListView(path, (), "Nothing has happened yet.", {}, timeline_lines), limit, json_fields)


@command.command("create", epilog=STATUSES)
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What it may do.")
@password_option
@click.pass_obj
def create(context: AdminContext, email: str, role: str, password_stdin: bool) -> None:
    """Create an account with an empty wallet. The command asks for its password.

    \b
      tollcast-admin users create new@example.org
      tollcast-admin users create ops@example.org --role operator
    """
    body = {"email": email, "role": role, "password": new_password(email, password_stdin)}
    _show(context.account.call("POST", "/users", body))


@command.command("edit", epilog=STATUSES)
@click.argument("user")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the account may do from now on.")
@version_option
@click.pass_obj
def edit(context: AdminContext, user: str, role: str, version: int | None) -> None:
    """Change the role of an account.

    \b
      tollcast-admin users edit demo@local --role operator
    """
    _show(_change(context, user, version, role=role))


@command.command("disable", epilog=STATUSES)
@click.argument("user")
@yes_option
@click.pass_obj
def disable(context: AdminContext, user: str, yes: bool) -> None:
    """Disable an account. Its logins and sessions end at once, and it cannot log in.

    \b
      tollcast-admin users disable demo@local
    """
    confirm(f"Disable {user} and end all logins and sessions of the account?", yes)
    _show(_change(context, user, None, disabled=True))


@command.command("enable", epilog=STATUSES)
@click.argument("user")
@click.pass_obj
def enable(context: AdminContext, user: str) -> None:
    """Enable a disabled account again.

    \b
      tollcast-admin users enable demo@local
    """
    _show(_change(context, user, None, disabled=False))


@command.command("reset-password", epilog=STATUSES)
@click.argument("user")
@password_option
@click.pass_obj
def reset_password(context: AdminContext, user: str, password_stdin: bool) -> None:
    """Give an account a new password. Its logins and sessions end at once.

    \b
      tollcast-admin users reset-password demo@local
      pass show demo | tollcast-admin users reset-password demo@local --password-stdin
    """
    changed = _change(context, user, None, password=new_password(user, password_stdin))
    click.echo(f"The password of {printable(changed['email'])} is replaced. All logins and sessions have ended.")


@command.command("erase", epilog=STATUSES)
@click.argument("user")
@yes_option
@click.pass_obj
def erase(context: AdminContext, user: str, yes: bool) -> None:
    """Erase a person for good: account, email and addresses. Payments and sessions stay, under the id.

    \b
      tollcast-admin users erase demo@local
    """
    user_id = user_id_of(context, user)
    confirm_by_typing(f"This cannot be undone. To erase {user}, type it again", user, yes)
    erased = context.account.call("POST", path_of("users", user_id, "erase"))
    print_sentence(f"{printable(user)} is erased. Sums stay under the id {printable(erased['user_id'])}.")


def _change(context: AdminContext, user: str, version: int | None, **changes: Any) -> dict[str, Any]:
    return change(context, "PATCH", path_of("users", user_id_of(context, user)), changes, version)


def _show(user: dict[str, Any]) -> None:
    fields = [
        ("User", user["user_id"]),
        ("Email", user["email"]),
        ("Role", user["role"]),
        ("Disabled", text_of(user["disabled"])),
        ("Created", when_of(user["created_at_ms"])),
        ("Version", str(user["version"])),
    ]
    for line in field_lines(fields, terminal_width()):
        click.echo(line)
