"""The port `WorkQueue` in memory. What was received and is not done does not come back; SQS's would."""

import itertools
import queue
from collections.abc import Sequence

from chalicelib.ports.streams.streams import Hint, QueueDepths


class MemoryWorkQueue:
    def __init__(self) -> None:
        self._hints: queue.Queue[Hint] = queue.Queue()
        self._receipts = itertools.count(1)
        self.undone: dict[str, Hint] = {}

    def send(self, stream_id: str) -> None:
        self._hints.put(Hint(stream_id=stream_id, receipt=str(next(self._receipts))))

    def receive(self, wait_s: int) -> Sequence[Hint]:
        hints: list[Hint] = []
        try:
            hints.append(self._hints.get(timeout=wait_s) if wait_s else self._hints.get_nowait())
            while len(hints) < 10:
                hints.append(self._hints.get_nowait())
        except queue.Empty:
            pass
        self.undone |= {hint.receipt: hint for hint in hints}
        return hints

    def done(self, hint: Hint) -> None:
        self.undone.pop(hint.receipt, None)

    def depths(self) -> QueueDepths:
        return QueueDepths(waiting=self._hints.qsize() + len(self.undone), dead=0)
