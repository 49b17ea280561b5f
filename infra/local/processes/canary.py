"""Become the canary of a local platform, with an account of its own: one run, or with `--every-s` one after another."""

import os
import sys
import time

from canary.credentials import CredentialsError, read_credentials
from chalicelib.bootstrap import Container, container
from chalicelib.domain.access.service_keys import Scope
from chalicelib.domain.errors import DomainError
from chalicelib.ports.common import StoreUnavailable
from infra.commands.add_canary import add_canary
from infra.local.layout import Layout, layout_from

EMAIL = "canary@local"
# By then, streams that were live before a restart of the platform are live again.
LIVE_AGAIN_S = 30


def ensure_account(services: Container, layout: Layout) -> None:
    """Make the account unless the file has a key that is accepted."""
    file = layout.canary_file
    try:
        services.service_keys.authenticate(read_credentials(file).service_key, Scope.CANARY)
    except (CredentialsError, DomainError):
        add_canary(services, EMAIL, file)


def main(arguments: list[str]) -> None:
    """Become the canary. Never return."""
    layout = layout_from(os.environ)
    try:
        ensure_account(container(), layout)
    except StoreUnavailable:
        sys.exit(f"The platform of {layout.state_dir} does not run. `make up` starts it.")
    if "--every-s" in arguments:
        time.sleep(LIVE_AGAIN_S)
    command = ["-m", "canary", "--server", layout.url, "--credentials", str(layout.canary_file), *arguments]
    os.execv(sys.executable, [sys.executable, *command])


if __name__ == "__main__":
    main(sys.argv[1:])
