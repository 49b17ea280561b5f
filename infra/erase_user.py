"""`python -m infra.erase_user EMAIL|USER_ID`: erase a person of the stage that the environment names.

The same as `POST /users/{user_id}/erase`: sessions are ended, email, password and addresses are deleted, and all sums
stay under the user id. It cannot be undone. Erasing who is erased changes nothing, and who ends this in between calls
it again with the user id that it has printed.
"""

import argparse
import sys
from collections.abc import Callable

from chalicelib.bootstrap import Container
from chalicelib.config import ConfigError, load
from chalicelib.domain.errors import Busy, DomainError, UserNotFound
from chalicelib.domain.ids import USER_ID
from chalicelib.domain.operations.audit import BY_COMMAND, Action, erased_values
from chalicelib.ports import StoreUnavailable

TRIES_MAX = 20


def erase(services: Container, who: str, say: Callable[[str], None]) -> None:
    """Erase who has this email or user id, and write that down. Raises `UserNotFound`, `Busy`."""
    user_id = _user_id(services, who)
    say(f"erasing {user_id}")
    erased_at_ms = _erased(services, user_id)
    action = Action(name="user.erase", target=user_id, user_id=user_id, after=erased_values(erased_at_ms))
    services.audit.write(services.audit.entry(action, by_user_id=BY_COMMAND, ip=""))
    say(f"erased {user_id}; what was paid and watched stays under this id")


def _user_id(services: Container, who: str) -> str:
    if USER_ID.fullmatch(who):
        return who
    user = services.users.by_email(who)
    if user is None:
        raise UserNotFound("There is no account with this email; give the user id of one that was begun to be erased.")
    return user.user_id


def _erased(services: Container, user_id: str) -> int:
    for _ in range(TRIES_MAX - 1):
        try:
            return services.erasure.erase(user_id)
        except Busy:
            continue
    return services.erasure.erase(user_id)


def main() -> int:
    """The command line; status 1 if nobody was erased, 2 if nobody was named."""
    parser = argparse.ArgumentParser(prog="python -m infra.erase_user", description="Erase a person for good.")
    parser.add_argument("who", metavar="EMAIL|USER_ID")
    who = parser.parse_args().who
    try:
        erase(Container(load()), who, lambda text: print(text, flush=True))
    except (ConfigError, DomainError, StoreUnavailable) as error:
        print(f"Not erased: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
