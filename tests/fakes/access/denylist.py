"""The port `Denylist` in memory."""

import time
from dataclasses import dataclass, field

from chalicelib.adapters.access.file_denylist import SESSION_ENTRY_MS
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import SESSION_ID, STREAM_ID


@dataclass
class FakeDenylist:
    """Entries by id; `sessions` holds the reason and when it was entered."""

    sessions: dict[str, tuple[EndReason, int]] = field(default_factory=dict)
    streams: dict[str, EndReason] = field(default_factory=dict)

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        if not SESSION_ID.fullmatch(session_id):
            raise ValueError(session_id)
        self.sessions[session_id] = (reason, int(time.time() * 1000))

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        if not STREAM_ID.fullmatch(stream_id):
            raise ValueError(stream_id)
        self.streams[stream_id] = reason

    def allow_stream(self, stream_id: str) -> None:
        self.streams.pop(stream_id, None)

    def sweep(self, now_ms: int) -> int:
        old = [name for name, (_, at_ms) in self.sessions.items() if now_ms - at_ms > SESSION_ENTRY_MS]
        for name in old:
            del self.sessions[name]
        return len(old)

    def reason(self, session_id: str, stream_id: str | None) -> EndReason | None:
        if session_id in self.sessions:
            return self.sessions[session_id][0]
        return self.streams.get(stream_id) if stream_id else None
