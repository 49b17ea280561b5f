"""What may take seconds, found out by a thread of its own while the supervising thread goes on."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from chalicelib.domain.errors import SourceUrlRefused
from worker.encoding.source_info import SourceRefused
from worker.ingest.errors import HostRefused

log = logging.getLogger(__name__)

Found = TypeVar("Found")


class BackgroundTask(Generic[Found]):
    """Once it is `is_done` there is a result, or why there is none."""

    def __init__(self, find: Callable[[], Found]) -> None:
        self.result: Found | None = None
        self.refusal = ""
        self.is_done = False
        self._find = find
        threading.Thread(target=self._run, name="open", daemon=True).start()

    def _run(self) -> None:
        try:
            self.result = self._find()
        except (SourceUrlRefused, SourceRefused, HostRefused) as refused:
            self.refusal = str(refused)
        except Exception as error:
            # A mistake of ours must not look like an endless opening.
            log.exception("opening crashed")
            self.refusal = f"internal error: {type(error).__name__}: {error}"
        finally:
            self.is_done = True
