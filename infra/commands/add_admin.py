"""Make an account an admin: `python -m infra.commands.add_admin EMAIL`, for the stage of the environment.

It creates the first admin of a stage, and restores access for one who is locked out: an existing account becomes an
admin and is enabled, and all its logins and sessions end. The password is read from the terminal, or from the first
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
    """Run the command line. Return 1 if no account became an admin."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.add_admin", description="Make an account an admin.")
    parser.add_argument("email", metavar="EMAIL")
    email = parser.parse_args().email
    try:
        user = Container(load()).accounts.make_admin(email, _password(email), by=COMMAND)
    except (ConfigError, DomainError, StoreUnavailable, UnicodeError) as error:
        print(f"No account became an admin: {error}", file=sys.stderr)
        return 1
    print(f"{user.email} is an admin ({user.user_id})")
    return 0


def _password(email: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"New password for {email}: ")
    return sys.stdin.readline(PASSWORD_CHARS_MAX).rstrip("\r\n")


if __name__ == "__main__":
    sys.exit(main())
