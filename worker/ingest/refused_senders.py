"""Senders that a listener refused or rejected: which, when and why, for the operator."""

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

# As libsrt logs that it rejects a sender: a code of its handshake, and its words.
_REJECTED = re.compile(r"rsp\(REJECT\): ([0-9]{1,6}) - (.{1,200})")
_REASONS = {
    "1010": "its passphrase is not the stream's key",
    "1011": "it does not encrypt; the stream's key is its passphrase",
}
# A sender that tries every second changes the reason, and so the stored log, this often.
REPEATED_S = 60


def refused_reason(reason: str) -> str:
    """Return the words for a sender that is refused now."""
    return f"the last sender was refused at {_now():%H:%M:%S} UTC: {reason}"


class SrtRejections:
    """The newest rejection in the log of an SRT receiver."""

    def __init__(self) -> None:
        self._line = self._why = ""
        # Why the newest sender was rejected, and when that was seen, by the monotonic clock.
        self.newest: tuple[str, float] | None = None
        self._at = datetime.fromtimestamp(0, UTC)

    def look(self, lines: Iterable[str]) -> str:
        """Return which rejection is the newest in these lines; empty without any."""
        line, found = next(
            ((each, match) for each in reversed(list(lines)) if (match := _REJECTED.search(each))), ("", None)
        )
        # The lines have the time in microseconds: another line is another sender, or another attempt.
        if found and line != self._line:
            why = _REASONS.get(found[1], found[2].strip())
            self.newest = why, time.monotonic()
            if why != self._why or _now() - self._at >= timedelta(seconds=REPEATED_S):
                self._why, self._at = why, _now()
            self._line = line
        return f"a sender was rejected at {self._at:%H:%M:%S} UTC: {self._why}" if self._why else ""


def _now() -> datetime:
    return datetime.now(UTC)
