"""Opening one source, whatever kind it is, until it can be played or it is known why not."""

import logging
import threading
from collections.abc import Callable
from enum import Enum
from typing import Generic, Protocol, TypeVar

from chalicelib.domain.addresses import IpAddress
from chalicelib.domain.errors import SourceUrlRefused
from chalicelib.domain.ingest import Ingest, IngestMode
from chalicelib.domain.source_urls import SourceUrl, check_source_url
from chalicelib.domain.streams import Stream
from worker.argv import Source, TestSource
from worker.config import WorkerConfig
from worker.egress import Egress
from worker.feed import Feed
from worker.pull_argv import Pinned, Proxied
from worker.receivers import ListenRefused, Receiver, listening, pulling
from worker.resolving import HostRefused, resolve_pinned
from worker.sources import SourceRefused, examine_live, font, prepare_file
from worker.supervision import SILENT_TARGETS

log = logging.getLogger(__name__)

# Looking a name up, connecting, and the first pictures of a playlist's first segment.
OPEN_S_MAX = 15.0
RESOLVE_S_MAX = 4.0
# A source has failed that sends nothing for as long as players can bridge, or for so long.
SILENT_S_MAX = 10
WAITING_REASON = "waiting for the sender"

Found = TypeVar("Found")


class Status(Enum):
    """How far a trial has come. What `FAILED` may be tried again soon, what is `REFUSED` not quite so soon."""

    OPENING = "opening"
    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"


class Trial(Protocol):
    """A source that is being opened, or is open. Used by the supervising thread, which looks at it every tick."""

    status: Status
    # Why it is not ready, for the operator.
    reason: str
    # What it can be played as, once it is ready.
    source: Source | None
    # Where a live source comes from.
    feed: Feed | None
    # Whether it waits for a sender, whose coming and going is nobody's fault.
    listens: bool

    def look(self, now_s: float) -> None:
        """Bring `status` and the rest up to date."""

    def close(self) -> None:
        """Give it up."""


def begin(ingest: Ingest, stream: Stream, config: WorkerConfig, now_s: float) -> Trial:
    """Open a source."""
    if ingest.mode is IngestMode.TEST:
        return PatternTrial()
    if ingest.mode is IngestMode.FILE:
        return FileTrial(ingest, config)
    return LiveTrial(ingest, stream, config, now_s)


class PatternTrial:
    """There is nothing to open."""

    listens = False

    def __init__(self) -> None:
        self.status, self.reason = Status.READY, ""
        self.source: Source | None = TestSource(font=font())
        self.feed: Feed | None = None

    def look(self, now_s: float) -> None:
        """See `Trial`."""

    def close(self) -> None:
        """See `Trial`."""


class FileTrial:
    """A file is examined by a thread of its own, since that may take seconds."""

    listens = False

    def __init__(self, ingest: Ingest, config: WorkerConfig) -> None:
        self.status, self.reason = Status.OPENING, ""
        self.source: Source | None = None
        self.feed: Feed | None = None
        self._prepared = _Aside(lambda: prepare_file(ingest.path, config.media_dir, config.ffmpeg_environ))

    def look(self, now_s: float) -> None:
        """See `Trial`."""
        if self.status is not Status.OPENING or not self._prepared.done:
            return
        self.source, self.reason = self._prepared.result, self._prepared.refusal
        self.status = Status.READY if self.source else Status.REFUSED

    def close(self) -> None:
        """See `Trial`."""


class LiveTrial:
    """A source that somebody sends: checked, received, examined. Where it listens, waiting is no failure."""

    def __init__(self, ingest: Ingest, stream: Stream, config: WorkerConfig, now_s: float) -> None:
        self.status, self.reason = Status.OPENING, ""
        self.source: Source | None = None
        self.feed: Feed | None = None
        self._config = config
        self.listens = ingest.mode is IngestMode.LISTEN
        self._began_at_s = now_s
        self._egress: Egress | None = None
        self._silent_s = min(SILENT_S_MAX, SILENT_TARGETS * stream.segment_seconds)
        # A listener's receiver is known at once; a pulled source's address has to be found first.
        self._found = _Aside(lambda: listening(ingest, stream, config) if self.listens else self._find(ingest))

    def look(self, now_s: float) -> None:
        """See `Trial`."""
        if self.status in (Status.REFUSED, Status.FAILED):
            return
        if self.feed is None:
            self._receive()
        if self.feed:
            self._judge(self.feed, now_s)

    def close(self) -> None:
        """See `Trial`."""
        if self.feed:
            self.feed.close()
        if self._egress:
            self._egress.stop()

    def _find(self, ingest: Ingest) -> tuple[SourceUrl, IpAddress | None]:
        rules = self._config.egress
        url = check_source_url(ingest.url or "", ports=rules.ports, networks=rules.networks)
        # All others are looked up by the proxy, whenever it connects.
        pinned = url.scheme == "srt"
        return url, resolve_pinned(url.host, rules.networks, RESOLVE_S_MAX, rules.lookup) if pinned else None

    def _receive(self) -> None:
        if not self._found.done:
            return
        if self._found.result is None:
            self.status, self.reason = Status.REFUSED, self._found.refusal
            return
        environ = self._config.ffmpeg_environ
        receiver = self._receiver(self._found.result)
        self.feed = Feed(receiver, environ, lambda head: examine_live(head, environ))

    def _receiver(self, found: Receiver | tuple[SourceUrl, IpAddress | None]) -> Receiver:
        if isinstance(found, Receiver):
            return found
        url, address = found
        if address:
            return pulling(url, Pinned(address=address))
        self._egress = Egress(url, self._config.egress)
        self._egress.start()
        return pulling(url, Proxied(proxy_url=self._egress.url, ca_file=self._config.egress.ca_file))

    def _judge(self, feed: Feed, now_s: float) -> None:
        self.source = feed.source
        if feed.refusal:
            self.status, self.reason = Status.REFUSED, feed.refusal
        elif not feed.running:
            self.status, self.reason = Status.FAILED, self._why_ended(feed)
        elif feed.began_at_s is None and self.listens:
            self.status, self.reason = Status.WAITING, WAITING_REASON
        elif self.source is None:
            if now_s - self._began_at_s > OPEN_S_MAX and not self.listens:
                self.status, self.reason = Status.FAILED, self._with_refusal(f"no picture within {OPEN_S_MAX:.0f} s")
        elif feed.flowing(now_s, self._silent_s):
            self.status, self.reason = Status.READY, ""
        else:
            self.status, self.reason = Status.FAILED, self._with_refusal(f"nothing came for {self._silent_s} s")

    def _why_ended(self, feed: Feed) -> str:
        if not self.listens:
            return self._with_refusal(feed.ending())
        # That a sender goes is its own affair; that nobody can be listened for is not.
        return WAITING_REASON if feed.began_at_s else f"{WAITING_REASON} ({feed.ending()})"

    def _with_refusal(self, what: str) -> str:
        refusal = self._egress.last_refusal if self._egress else None
        return f"{refusal} ({what})" if refusal else what


class _Aside(Generic[Found]):
    """What may take seconds, found out by a thread of its own."""

    def __init__(self, find: Callable[[], Found]) -> None:
        self.result: Found | None = None
        self.refusal = ""
        self.done = False
        self._find = find
        threading.Thread(target=self._run, name="open", daemon=True).start()

    def _run(self) -> None:
        try:
            self.result = self._find()
        except SourceUrlRefused as refused:
            self.refusal = refused.detail
        except (SourceRefused, ListenRefused, HostRefused) as refused:
            self.refusal = str(refused)
        except Exception as error:
            # A mistake of ours must not look like an endless opening.
            log.exception("opening crashed")
            self.refusal = f"internal error: {type(error).__name__}: {error}"
        finally:
            self.done = True
