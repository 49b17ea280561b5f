"""Make an account an operator: `python -m infra.commands.add_operator EMAIL`, for the stage of the environment.

It creates the first operator of a stage, and restores access for one who is locked out: an existing account becomes an
operator and is enabled, and all its logins and sessions end. The password is read from the terminal, or from the first
line of the standard input.
"""

import argparse
import getpass
import sys

from chalicelib.bootstrap import Container
from chalicelib.config import ConfigError, load
from chalicelib.domain.errors import DomainError
from chalicelib.domain.operations.audit import COMMAND
from chalicelib.ports.common import StoreUnavailable

PASSWORD_CHARS_MAX = 4_096


def main() -> int:
    """Run the command line. Return 1 if no account became an operator."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.commands.add_operator", description="Make an account an operator."
    )
    parser.add_argument("email", metavar="EMAIL")
    email = parser.parse_args().email
    try:
        user = Container(load()).accounts.make_operator(email, _password(email), by=COMMAND)
    except (ConfigError, DomainError, StoreUnavailable, UnicodeError) as error:
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
