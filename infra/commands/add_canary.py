"""Make the canary's account: `python -m infra.commands.add_canary EMAIL FILE`, for the stage of the environment.

The account is marked as a synthetic viewer, whom business figures leave out. It gets a password and a service key with
the scope `canary`, both random and written to FILE alone, and at least `POINTS` points. Repeated, it replaces password,
key and file: the old ones are no longer accepted.
"""

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

from canary.credentials import Credentials
from chalicelib.bootstrap import Container
from chalicelib.config import ConfigError, load
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.errors import DomainError
from chalicelib.domain.money.points import MILLIPOINTS_PER_POINT
from chalicelib.domain.operations.audit import COMMAND
from chalicelib.ports.common import StoreUnavailable, all_items

# A run pays for some seconds. At 60 points a minute and a run every 5 minutes, this lasts for years.
POINTS = 1_000_000
KEY_NAME, KEY_DAYS = "canary", 400
PASSWORD_BYTES = 24
KEYS_PER_PAGE = 100


def main() -> int:
    """Run the command line. Return 1 if nothing was written."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.commands.add_canary", description="Make the canary's account."
    )
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("file", metavar="FILE", type=Path)
    options = parser.parse_args()
    try:
        user_id = add_canary(Container(load()), options.email, options.file)
    except (ConfigError, DomainError, StoreUnavailable, OSError) as error:
        print(f"There is no canary: {error}", file=sys.stderr)
        return 1
    print(f"{options.email} is a synthetic viewer ({user_id}). Its password and key are in {options.file}.")
    return 0


def add_canary(services: Container, email: str, file: Path) -> str:
    """Make or renew the account, and write its credentials. Return the user id."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user = services.accounts.make_canary(email, password, by=COMMAND)
    missing = POINTS * MILLIPOINTS_PER_POINT - services.ledger.wallet(user.user_id).balance_millipoints
    if missing > 0:
        services.payments.credit(
            user.user_id,
            by=COMMAND,
            millipoints=missing,
            payment_id=f"canary:{secrets.token_hex(12)}",
            note="Points of the canary",
        )
    for key in list(all_items(services.service_keys.listing, limit=KEYS_PER_PAGE)):
        if key.name == KEY_NAME and key.scopes == (Scope.CANARY,) and key.revoked_at_ms is None:
            services.service_keys.revoke(key.key_id, by=COMMAND)
    made = services.service_keys.create(KEY_NAME, [Scope.CANARY], KEY_DAYS, by=COMMAND)
    _write(file, Credentials(email=email, password=password, service_key=made.token))
    return user.user_id


def _write(file: Path, credentials: Credentials) -> None:
    """Replace the file as a whole. Only its owner may read it."""
    part = file.with_name(f"{file.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as text:
        json.dump(vars(credentials), text)
    part.replace(file)


if __name__ == "__main__":
    sys.exit(main())
