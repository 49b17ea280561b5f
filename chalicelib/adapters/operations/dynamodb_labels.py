"""Emails and titles from the tables of users and streams, read in batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chalicelib.adapters.dynamodb import from_row, get_items


class DynamoLabels:
    """The port `Labels`."""

    def __init__(self, table_prefix: str) -> None:
        self._users = table_prefix + "users"
        self._streams = table_prefix + "streams"

    def emails(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        return _values(self._users, "user_id", user_ids, "email")

    def titles(self, stream_ids: Iterable[str]) -> Mapping[str, str]:
        return _values(self._streams, "stream_id", stream_ids, "title")


def _values(table: str, key: str, ids: Iterable[str], name: str) -> dict[str, str]:
    return {row[key]: row[name] for row in map(from_row, get_items(table, key, ids)) if name in row}
