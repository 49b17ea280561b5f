"""Make an account an operator: `python -m infra.commands.add_operator EMAIL`, for the stage of the environment.

It creates the first operator of a stage, and restores access for one who is locked out: an existing account becomes an
operator and is enabled, and all its logins and sessions end. The password is read from the terminal, or from the first
line of the standard input.
"""

import argparse
import getpass
import json
import sys

from chalicelib.api.checks import body_of
from chalicelib.api.models.accounts import CreateUserRequest
from chalicelib.bootstrap import Container
from chalicelib.config import ConfigError, load
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.errors import DomainError
from chalicelib.domain.operations.audit import BY_COMMAND, WAS_RESET, Action, difference, user_values
from chalicelib.ports.common import StoreUnavailable

PASSWORD_CHARS_MAX = 4_096


def add_operator(services: Container, email: str, password: str) -> User:
    """Create or change the account, and log that. Raises `Invalid` for an invalid email or password."""
    request = body_of(
        CreateUserRequest, json.dumps({"email": email, "password": password, "role": Role.ADMIN}).encode()
    )
    account = services.users.by_email(request.email)
    if account is None:
        user = services.accounts.create(request.email, request.password, Role.ADMIN)
        action = Action(name="user.create", target=user.user_id, user_id=user.user_id, after=user_values(user))
    else:
        user = services.accounts.change(account.user_id, password=request.password, role=Role.ADMIN, disabled=False)
        before, after = difference(user_values(account), user_values(user))
        action = Action(
            name="user.edit",
            target=user.user_id,
            user_id=user.user_id,
            before=before,
            after=after,
            details={"password": WAS_RESET},
        )
    services.audit.write(services.audit.entry(action, by_user_id=BY_COMMAND, ip=""))
    return user


def main() -> int:
    """Run the command line. Return 1 if no account became an operator."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.commands.add_operator", description="Make an account an operator."
    )
    parser.add_argument("email", metavar="EMAIL")
    email = parser.parse_args().email
    try:
        services = Container(load())
        user = add_operator(services, email, _password(email))
    except (ConfigError, DomainError, StoreUnavailable) as error:
        print(f"No account became an operator: {error}", file=sys.stderr)
        return 1
    print(f"{user.email} is an operator ({user.user_id})")
    return 0


def _password(email: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"New password for {email}: ")
    return sys.stdin.readline(PASSWORD_CHARS_MAX).rstrip("\r\n")


if __name__ == "__main__":
    sys.exit(main())
