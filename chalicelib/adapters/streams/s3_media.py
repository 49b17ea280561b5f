"""The media bucket in S3."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, Unpack

from chalicelib.adapters.aws import ATTEMPTS_MAX, client, error_code, translated
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import EtagMismatch, PutOptions, StoredObject

# 412 means that a condition does not hold, 404 that the object of If-Match does not exist. A conflict of two writes
# (409) is left out: its result is unknown, so it stays a StoreUnavailable.
REFUSED = frozenset({"PreconditionFailed", "412", "NoSuchKey", "404"})
PAGE = 1000
# The tag that the bucket's lifecycle rule matches.
EXPIRES_TAG = ("expires", "yes")


class S3Media:
    """The port `MediaStore` over one bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def get(self, key: str) -> StoredObject | None:
        """Retry a response that breaks off: the SDK repeats requests, not reads of the body."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        with translated():
            for attempt in range(1, ATTEMPTS_MAX + 1):
                answer = self._open(key)
                if answer is None:
                    return None
                try:
                    with closing(answer["Body"]) as body:
                        return StoredObject(body=body.read(), etag=answer["ETag"], metadata=answer.get("Metadata", {}))
                except (HTTPClientError, IncompleteReadError):
                    if attempt == ATTEMPTS_MAX:
                        raise
        raise AssertionError("unreachable")

    def _open(self, key: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            return dict(client("s3").get_object(Bucket=self._bucket, Key=key))
        except ClientError as error:
            if error_code(error) in ("NoSuchKey", "404"):
                return None
            raise

    def put(self, key: str, body: bytes, content_type: str, **options: Unpack[PutOptions]) -> str:
        from botocore.exceptions import ClientError

        request: dict[str, Any] = {}
        if options.get("if_match") is not None:
            request["IfMatch"] = options["if_match"]
        if options.get("if_absent"):
            request["IfNoneMatch"] = "*"
        conditional = bool(request)
        if "metadata" in options:
            request["Metadata"] = dict(options["metadata"])
        if options.get("expires"):
            request["Tagging"] = "=".join(EXPIRES_TAG)
        with translated():
            try:
                answer = client("s3").put_object(
                    Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, **request
                )
            except ClientError as error:
                if conditional and error_code(error) in REFUSED:
                    raise EtagMismatch(f"another writer changed {key}") from None
                raise
        return str(answer["ETag"])

    def delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        objects = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        with translated():
            errors = client("s3").delete_objects(Bucket=self._bucket, Delete=objects).get("Errors", [])
        if errors:
            raise StoreUnavailable(f"{len(errors)} objects were not deleted, the first: {errors[0]}")

    def list(self, prefix: str, *, limit: int) -> Sequence[str]:
        keys: list[str] = []
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix}
        while len(keys) < limit:
            with translated():
                answer = client("s3").list_objects_v2(**request, MaxKeys=min(PAGE, limit - len(keys)))
            keys += [entry["Key"] for entry in answer.get("Contents", [])]
            if not answer.get("IsTruncated"):
                break
            request["ContinuationToken"] = answer["NextContinuationToken"]
        return keys

    def signed_query(self, key: str, expires_s: int) -> str:
        with translated():
            url = client("s3").generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=expires_s, HttpMethod="GET"
            )
        return str(url).partition("?")[2]
