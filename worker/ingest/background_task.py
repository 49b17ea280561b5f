"""Work that may take seconds, done by a thread of its own while the supervising thread continues."""

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
    """A function that runs in a thread. Once it `is_done`, there is a result or a refusal."""

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
            # A bug must not look like an endless opening.
            log.exception("opening crashed")
            self.refusal = f"internal error: {type(error).__name__}: {error}"
        finally:
            self.is_done = True
