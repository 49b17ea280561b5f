"""Clients of AWS with bounded waits, and the translation of the SDK's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalicelib.ports import StoreUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CONNECT_TIMEOUT_S = 2
# SQS long polls for up to 20 s. The emulator answers for a stack once it has made all of it, and to ask again for one
# that is being made is an error. Everything else answers in a fraction of this.
READ_TIMEOUT_S = {"sqs": 25, "cloudformation": 60}
READ_TIMEOUT_S_DEFAULT = 5
ATTEMPTS_MAX = 3


class ConditionFailed(Exception):
    """A conditional write was refused. `item` is the old item where the store returned it."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__("condition failed")
        self.item = item


class TransactionRefused(Exception):
    """A transaction was cancelled; `codes` and `items` stand in the order of its parts."""

    def __init__(self, codes: list[str], items: list[dict[str, Any] | None]) -> None:
        super().__init__(f"transaction cancelled: {codes}")
        self.codes = codes
        self.items = items


class Contended(StoreUnavailable):
    """A transaction on the same item was under way; nothing was written, and trying again helps."""


class RequestInvalid(StoreUnavailable):
    """The store found the request malformed: our own mistake, or a list position that a client made up."""


# Those of this process, by service.
clients: dict[str, Any] = {}


def client(service: str) -> Any:
    """One client a process and service, made at first use. The endpoint comes from the SDK's standard variables.

    S3 is asked by path and signed with `s3v4`: both work at AWS and at every emulator.
    """
    made = clients.get(service)
    return made if made is not None else clients.setdefault(service, _new_client(service))


def _new_client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S.get(service, READ_TIMEOUT_S_DEFAULT),
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS_MAX},
            # Checked by our own tests; saves 43 us a call.
            parameter_validation=False,
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"},
        ),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn the SDK's errors into `ConditionFailed`, `TransactionRefused` or `StoreUnavailable`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _of_client_error(error) from None
    except BotoCoreError as error:
        # BotoCoreError and not HTTPClientError: the latter does not cover connect time-outs.
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from None


def error_code(error: ClientError) -> str:
    """The store's own code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _of_client_error(error: ClientError) -> Exception:
    code = error_code(error)
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(error.response.get("Item"))
    if code == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        return TransactionRefused([r.get("Code", "None") for r in reasons], [r.get("Item") for r in reasons])
    kinds = {"ValidationException": RequestInvalid, "TransactionConflictException": Contended}
    kind = kinds.get(code, StoreUnavailable)
    return kind(f"{error.operation_name}: {code}: {error.response.get('Error', {}).get('Message', '')}")
