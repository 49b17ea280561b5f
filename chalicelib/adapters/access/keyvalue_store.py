"""CloudFront's KeyValueStore, which functions at the edges read.

A write names the version of the whole store, so concurrent writers reject each other and read the version again.
Requests are signed with SigV4A, for which botocore needs the package `awscrt`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.adapters.aws import client, error_code, translated
from chalicelib.ports.common import StoreUnavailable

# CloudFront's quotas.
KEYS_PER_WRITE_MAX = 50
KEYS_PER_PAGE_MAX = 50
TRIES_MAX = 8
WAIT_S_FIRST, WAIT_S_MAX = 0.05, 0.8
CONFLICT_STATUSES = (409, 412)


class KeyValueStore:
    """A store, by its ARN. All methods raise `StoreUnavailable`."""

    def __init__(self, arn: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._arn = arn
        self._sleep = sleep

    def get(self, key: str) -> str | None:
        """Return the value, or None."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                return str(self._client.get_key(KvsARN=self._arn, Key=key)["Value"])
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return None
                raise

    def count(self) -> int:
        """Return the number of entries."""
        return int(self._describe()["ItemCount"])

    def items(self, limit: int) -> Iterator[tuple[str, str]]:
        """Yield up to `limit` entries, in no order."""
        page: dict[str, Any] = {}
        for left in range(limit, 0, -KEYS_PER_PAGE_MAX):
            more = {"NextToken": page["NextToken"]} if page else {}
            with translated():
                page = self._client.list_keys(KvsARN=self._arn, MaxResults=min(left, KEYS_PER_PAGE_MAX), **more)
            yield from ((item["Key"], item["Value"]) for item in page.get("Items", []))
            if not page.get("NextToken"):
                return

    def write(self, puts: Mapping[str, str], deletes: Sequence[str] = ()) -> None:
        """Put and delete at most `KEYS_PER_WRITE_MAX` keys, all or nothing."""
        changes = {
            "Puts": [{"Key": key, "Value": value} for key, value in puts.items()],
            "Deletes": [{"Key": key} for key in deletes],
        }
        filled = {name: keys for name, keys in changes.items() if keys}
        for attempt in range(TRIES_MAX):
            if self._try_write(filled):
                return
            # A random wait spreads concurrent writers.
            self._sleep(random.uniform(0, min(WAIT_S_MAX, WAIT_S_FIRST * 2**attempt)))
        raise StoreUnavailable(f"concurrent changes of the KeyValueStore won at each of {TRIES_MAX} tries")

    def _try_write(self, changes: Mapping[str, Any]) -> bool:
        from botocore.exceptions import ClientError

        version = self._describe()["ETag"]
        with translated():
            try:
                self._client.update_keys(KvsARN=self._arn, IfMatch=version, **changes)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in CONFLICT_STATUSES:
                    return False
                raise
        return True

    def _describe(self) -> Any:
        with translated():
            return self._client.describe_key_value_store(KvsARN=self._arn)

    @property
    def _client(self) -> Any:
        return client("cloudfront-keyvaluestore")
