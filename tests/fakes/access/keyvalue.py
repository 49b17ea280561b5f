"""The client of CloudFront's KeyValueStore, as far as we use it, in memory."""

from typing import Any

from botocore.exceptions import ClientError


class MemoryKeyValueClient:
    """A store of entries. `conflicts` is the number of writes that it refuses because of another writer."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.version = 1
        self.conflicts = 0
        self.writes = 0
        self.pretended_count: int | None = None

    def describe_key_value_store(self, *, KvsARN: str) -> dict[str, Any]:  # noqa: N803
        count = len(self.entries) if self.pretended_count is None else self.pretended_count
        return {"ETag": f"E{self.version}", "ItemCount": count}

    def get_key(self, *, KvsARN: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.entries:
            raise refusal("ResourceNotFoundException", 404, "GetKey")
        return {"Key": Key, "Value": self.entries[Key]}

    def list_keys(self, *, KvsARN: str, MaxResults: int, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        first, keys = int(NextToken), sorted(self.entries)
        items = [{"Key": key, "Value": self.entries[key]} for key in keys[first : first + MaxResults]]
        more = {"NextToken": str(first + MaxResults)} if first + MaxResults < len(keys) else {}
        return {"Items": items, **more}

    def update_keys(self, *, KvsARN: str, IfMatch: str, Puts: list = (), Deletes: list = ()) -> dict[str, Any]:  # noqa: N803
        assert 1 <= len(Puts) + len(Deletes) <= 50
        if self.conflicts:
            self.conflicts -= 1
            self.version += 1
        if IfMatch != f"E{self.version}":
            raise refusal("ConflictException", 409, "UpdateKeys")
        for put in Puts:
            self.entries[put["Key"]] = put["Value"]
        for delete in Deletes:
            self.entries.pop(delete["Key"], None)
        self.version += 1
        self.writes += 1
        return {"ETag": f"E{self.version}", "ItemCount": len(self.entries)}


def refusal(code: str, status: int, operation: str) -> ClientError:
    """Return the SDK's error."""
    answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)
