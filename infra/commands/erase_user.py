"""Erase a person: `python -m infra.commands.erase_user EMAIL|USER_ID`, for the stage of the environment.

It does the same as `POST /users/{user_id}/erase`: it ends sessions, deletes email, password and addresses, and keeps
all sums under the user id. It cannot be undone, and a second run changes nothing. After an interruption, run it again
with the user id that it printed.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress

from chalicelib.bootstrap import Container
from chalicelib.config import ConfigError, load
from chalicelib.domain.errors import Busy, DomainError
from chalicelib.domain.ids import USER_ID
from chalicelib.domain.operations.audit import COMMAND
from chalicelib.ports.common import StoreUnavailable

TRIES_MAX = 20


def erase(services: Container, email_or_id: str, say: Callable[[str], None]) -> None:
    """Erase the person with this email or user id. Raise `UserNotFound`, or `Busy` after `TRIES_MAX` tries."""
    user_id = email_or_id if USER_ID.fullmatch(email_or_id) else services.accounts.id_of(email_or_id)
    say(f"erasing {user_id}")
    for _ in range(TRIES_MAX - 1):
        with suppress(Busy):
            services.erasure.erase(user_id, by=COMMAND)
            break
    else:
        services.erasure.erase(user_id, by=COMMAND)
    say(f"erased {user_id}; its payments and sessions stay under this id")


def main() -> int:
    """Run the command line. Return 1 if the person was not erased; argparse exits with 2 without an argument."""
    parser = argparse.ArgumentParser(prog="python -m infra.commands.erase_user", description="Erase a person for good.")
    parser.add_argument("email_or_id", metavar="EMAIL|USER_ID")
    email_or_id = parser.parse_args().email_or_id
    try:
        erase(Container(load()), email_or_id, lambda text: print(text, flush=True))
    except (ConfigError, DomainError, StoreUnavailable) as error:
        print(f"Not erased: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
