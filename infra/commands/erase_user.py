"""Erase a person: `python -m infra.commands.erase_user EMAIL|USER_ID`, for the stage of the environment.

It does the same as `POST /users/{user_id}/erase`: it ends sessions, deletes email, password and addresses, and keeps
all sums under the user id. It cannot be undone, and a second run changes nothing. After an interruption, run it again
with the user id that it printed.
"""

import argparse
import sys
from collections.abc import Callable

from chalicelib.bootstrap import Container
from chalicelib.config import ConfigError, load
from chalicelib.domain.errors import Busy, DomainError, UserNotFound
from chalicelib.domain.ids import USER_ID
from chalicelib.domain.operations.audit import BY_COMMAND, Action, erased_values
from chalicelib.ports.common import StoreUnavailable

TRIES_MAX = 20


def erase(services: Container, email_or_id: str, say: Callable[[str], None]) -> None:
    """Erase the person with this email or user id, and log that. Raises `UserNotFound`, `Busy`."""
    user_id = _user_id(services, email_or_id)
    say(f"erasing {user_id}")
    erased_at_ms = _erased(services, user_id)
    action = Action(name="user.erase", target=user_id, user_id=user_id, after=erased_values(erased_at_ms))
    services.audit.write(services.audit.entry(action, by_user_id=BY_COMMAND, ip=""))
    say(f"erased {user_id}; its payments and sessions stay under this id")


def _user_id(services: Container, email_or_id: str) -> str:
    if USER_ID.fullmatch(email_or_id):
        return email_or_id
    user = services.users.by_email(email_or_id)
    if user is None:
        raise UserNotFound("There is no account with this email. To continue an interrupted erasure, give the user id.")
    return user.user_id


def _erased(services: Container, user_id: str) -> int:
    for _ in range(TRIES_MAX - 1):
        try:
            return services.erasure.erase(user_id)
        except Busy:
            continue
    return services.erasure.erase(user_id)


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
