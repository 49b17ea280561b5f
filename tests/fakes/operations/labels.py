"""The port `Labels` over users and streams in memory."""

from collections.abc import Iterable, Mapping
from typing import Any


class MemoryLabels:
    def __init__(self, users: Any, streams: Any) -> None:
        self._users, self._streams = users, streams

    def emails(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        found = map(self._users.get, user_ids)
        return {user.user_id: user.email for user in found if user is not None}

    def titles(self, stream_ids: Iterable[str]) -> Mapping[str, str]:
        found = map(self._streams.get, stream_ids)
        return {stream.stream_id: stream.title for stream in found if stream is not None}
