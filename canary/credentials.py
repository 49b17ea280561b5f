"""The file that `python -m infra.commands.add_canary` writes: the canary's account and its service key."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE_BYTES_MAX = 4_096


class CredentialsError(Exception):
    """The file cannot be used; the message says why."""


@dataclass(frozen=True)
class Credentials:
    """The account that watches, and the key that kicks it and reports its runs."""

    email: str
    password: str
    service_key: str


def read_credentials(path: Path) -> Credentials:
    """Return the credentials in a file. Raise `CredentialsError`."""
    make = f"python -m infra.commands.add_canary EMAIL {path}"
    try:
        with path.open("rb") as file:
            fields = json.loads(file.read(FILE_BYTES_MAX))
        names = Credentials.__dataclass_fields__
        if (
            not isinstance(fields, dict)
            or set(fields) != set(names)
            or not all(isinstance(fields[n], str) for n in names)
        ):
            raise ValueError(f"it must have the texts {', '.join(names)}")
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read ({error.strerror}). It is made by: {make}") from None
    except ValueError as error:
        raise CredentialsError(f"{path} is no file of credentials ({error}). It is made by: {make}") from None
    return Credentials(**fields)
