"""AWS clients with bounded waits, and the translation of SDK errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalicelib.ports.common import StoreUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CONNECT_TIMEOUT_S = 2
# SQS long polls for up to 20 s. The emulator responds for a stack once it is complete, and repeating the request
# meanwhile is an error. Everything else responds in a fraction of this.
READ_TIMEOUT_S = {"sqs": 25, "cloudformation": 60}
READ_TIMEOUT_S_DEFAULT = 5
ATTEMPTS_MAX = 3


class ConditionFailed(Exception):
    """A conditional write failed. `item` is the stored item if the store returned it."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__("condition failed")
        self.item = item


class TransactionRefused(Exception):
    """A transaction was cancelled. `codes` and `items` are in the order of its parts."""

    def __init__(self, codes: list[str], items: list[dict[str, Any] | None]) -> None:
        super().__init__(f"transaction cancelled: {codes}")
        self.codes = codes
        self.items = items


class Contended(StoreUnavailable):
    """Another transaction on the same item was in progress. Nothing was written; a retry helps."""


class RequestInvalid(StoreUnavailable):
    """The store rejected the request as malformed: a bug, or a forged cursor."""


# The clients of this process, by service.
clients: dict[str, Any] = {}


def client(service: str) -> Any:
    """Return the process's client of a service, created at first use with the SDK's standard endpoint variables.

    S3 uses path style and `s3v4` signatures, which work at AWS and at every emulator.
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
            # Covered by tests; saves 43 us a call.
            parameter_validation=False,
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"},
        ),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn SDK errors into `ConditionFailed`, `TransactionRefused` or `StoreUnavailable`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _of_client_error(error) from None
    except BotoCoreError as error:
        # BotoCoreError, since HTTPClientError does not cover connect time-outs.
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from None


def error_code(error: ClientError) -> str:
    """Return the store's code of an error."""
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
