"""Opening a source that somebody sends: its address is checked, it is received, and what comes is examined."""

from chalicelib.domain.addresses import IpAddress
from chalicelib.domain.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.source_urls import SourceUrl, check_source_url
from chalicelib.domain.streams import Stream
from worker.aside import Aside
from worker.config import WorkerConfig
from worker.encoding.argv import Cut, LiveSource, Source
from worker.encoding.copying import cut_of
from worker.ingest.egress import Egress
from worker.ingest.egress_http import as_typed
from worker.ingest.feed import Feed
from worker.ingest.hls.played import PlayedSegments
from worker.ingest.hls.session import HlsSession
from worker.ingest.hls.variants import limits_of
from worker.ingest.pull_argv import Pinned, Proxied
from worker.ingest.receivers import MUTE_ENDINGS, Receiver, listening, pulling
from worker.ingest.resolving import resolve_pinned
from worker.ingest.sources import SourceRefused, examine_live
from worker.ingest.trials import Status
from worker.supervision import SILENT_TARGETS

# Looking a name up, connecting, and the first pictures of a playlist's first segment.
OPEN_S_MAX = 15.0
RESOLVE_S_MAX = 4.0
# A source has failed that sends nothing for this long, or for so long that its run is about to be taken for dead.
SILENT_S_MAX = 10.0
BEFORE_RUN_S = 0.5
WAITING_REASON = "waiting for the sender"
MUTE_REASON = f"{WAITING_REASON}: somebody was connected but sent no picture"
# After so long it is said that nothing comes, where it cannot be known whether somebody is connected. By RTMP,
# somebody may be who sends nothing but sound.
SILENCE_TOLD_S = 20.0
# Before that, what ended the try before is still the news: the next one may end the same way at once.
SETTLED_S = 3.0


class LiveTrial:
    """See `Trial`. Where it listens, waiting is no failure. `before` is why the trial before this one has failed.

    `played` is what the trials before it have handed out of the source's HLS.
    """

    def __init__(
        self,
        ingest: Ingest,
        stream: Stream,
        config: WorkerConfig,
        now_s: float,
        before: str = "",
        played: PlayedSegments | None = None,
    ) -> None:
        self.status, self.reason = Status.OPENING, ""
        self.source: Source | None = None
        self.cut: Cut | None = None
        self.feed: Feed | None = None
        self._config = config
        self._stream = stream
        self._before = before
        self._played = played
        self.listens = ingest.mode is IngestMode.LISTEN
        self._silence_told = ingest.protocol is ListenProtocol.RTMP
        self._began_at_s = now_s
        self._egress: Egress | None = None
        self._silent_s = _silent_s(stream)
        # A listener's receiver is known at once; a pulled source's address has to be found first.
        self._found = Aside(lambda: listening(ingest, stream, config) if self.listens else self._find(ingest))

    def look(self, now_s: float) -> None:
        """See `Trial`."""
        if self.status in (Status.REFUSED, Status.FAILED):
            return
        if self.feed is None:
            self._receive()
        if self.feed:
            self._judge(self.feed, now_s)

    def adopt(self, stream: Stream) -> bool:
        """See `Trial`."""
        if self.feed is None or self._has_other_variant(stream):
            return False
        try:
            self.cut = cut_of(self.source, stream, self._config.ffmpeg_environ) if self.source else None
        except SourceRefused:
            return False
        self._stream, self._silent_s = stream, _silent_s(stream)
        return True

    def close(self) -> None:
        """See `Trial`."""
        if self.feed:
            self.feed.close()
        if self._egress:
            self._egress.stop()

    def _has_other_variant(self, stream: Stream) -> bool:
        """Return whether the source may have a picture that suits the new ladder better."""
        changed = limits_of(stream.renditions) != limits_of(self._stream.renditions)
        return changed and self._egress is not None and self._egress.hls.variant_count > 1

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
        self.feed = Feed(self._receiver(self._found.result), self._config.ffmpeg_environ, self._examine)

    def _examine(self, head: bytes) -> LiveSource:
        environ = self._config.ffmpeg_environ
        source = examine_live(head, environ)
        self.cut = cut_of(source, self._stream, environ)
        return source

    def _receiver(self, found: Receiver | tuple[SourceUrl, IpAddress | None]) -> Receiver:
        if isinstance(found, Receiver):
            return found
        url, address = found
        if address:
            return pulling(url, Pinned(address=address))
        hls = HlsSession(limits_of(self._stream.renditions), self._played)
        self._egress = Egress(url, self._config.egress, hls)
        self._egress.start()
        return pulling(url, Proxied(proxy_url=self._egress.url, ca_file=self._config.egress.ca_file))

    def _judge(self, feed: Feed, now_s: float) -> None:
        self.source = feed.source
        if feed.refusal:
            self.status, self.reason = Status.REFUSED, feed.refusal
        elif not feed.running:
            self.status, self.reason = Status.FAILED, self._why_ended(feed)
        elif self._egress and (still := self._egress.hls.failure()):
            self.status, self.reason = Status.FAILED, self._with_refusal(still)
        elif feed.began_at_s is None and self.listens:
            self.status, self.reason = Status.WAITING, self._why_waiting(now_s)
        elif self.source is None:
            if now_s - (self._began_at_s if feed.began_at_s is None else feed.began_at_s) > OPEN_S_MAX:
                self.status, self.reason = Status.FAILED, self._with_refusal(f"no picture within {OPEN_S_MAX:.0f} s")
        elif feed.flowing(now_s, self._silent_s):
            self.status, self.reason = Status.READY, ""
        else:
            silent = self._with_refusal(f"nothing came for {self._silent_s:g} s")
            self.status, self.reason = Status.FAILED, WAITING_REASON if self.listens else silent

    def _why_ended(self, feed: Feed) -> str:
        if not self.listens:
            return self._with_refusal(as_typed(feed.ending()))
        # That a sender goes is its own affair; that nobody can be listened for is not.
        if feed.began_at_s:
            return WAITING_REASON
        return MUTE_REASON if feed.ending().endswith(MUTE_ENDINGS) else f"{WAITING_REASON} ({feed.ending()})"

    def _why_waiting(self, now_s: float) -> str:
        waited_s = now_s - self._began_at_s
        if self._before == MUTE_REASON or (self._before and waited_s < SETTLED_S):
            return self._before
        if self._silence_told and waited_s >= SILENCE_TOLD_S:
            return f"{WAITING_REASON}: no picture has come for {SILENCE_TOLD_S:.0f} s"
        return WAITING_REASON

    def _with_refusal(self, what: str) -> str:
        """Put first what the proxy knows: a refusal, or that the source's playlists do not change."""
        if self._egress is None:
            return what
        known = self._egress.last_refusal or self._egress.hls.stillness()
        return f"{known} ({what})" if known and known != what else what


def _silent_s(stream: Stream) -> float:
    return min(SILENT_S_MAX, SILENT_TARGETS * stream.segment_seconds - BEFORE_RUN_S)
