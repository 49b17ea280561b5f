"""The opener of received sources: it checks the address or file, and examines what comes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib.domain.streams.addresses import IpAddress
from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.source_urls import SourceUrl, check_source_url
from chalicelib.domain.streams.stream import Stream
from worker.config import WorkerConfig
from worker.encoding.copy_segmentation import FAR_KEYFRAMES, plan_copy
from worker.encoding.source_info import SourceInfo, SourceRefused
from worker.encoding.transcoder import SILENT_TARGETS
from worker.ingest.background_task import BackgroundTask
from worker.ingest.egress.proxy import Egress
from worker.ingest.egress.resolving import resolve_all
from worker.ingest.hls.played import PlayedSegments
from worker.ingest.hls.session import HlsSession
from worker.ingest.hls.variants import limits_of
from worker.ingest.pull_options import Proxied
from worker.ingest.receiver_commands import ReceiverCommand, file_command, listen_command, pull_command
from worker.ingest.refused_senders import SrtRejections
from worker.ingest.source_opener import OpenerStatus, SourceOpener
from worker.ingest.source_receiver import SourceReceiver
from worker.ingest.sources import locate, read_source_info
from worker.processes.child import Child
from worker.receiving.request import EXIT_MUTE, EXIT_REFUSED
from worker.transcoding.plan import watching_argv

# Time for the look-up, the connection, and the first pictures of a playlist's first segment.
OPEN_S_MAX = 15.0
RESOLVE_S_MAX = 4.0
# A source has failed if it sends nothing for this long, or almost as long as its run may make no segment.
SILENT_S_MAX = 10.0
BEFORE_RUN_S = 0.5
WAITING_REASON = "waiting for the sender"
MUTE_REASON = f"{WAITING_REASON}: a sender was connected but sent no picture"
# Senders of HEVC look like that by RTMP: the ingest's module passes nothing of them on.
RTMP_HINT = "; RTMP carries H.264 here, so send HEVC by SRT"
SOUND_ALONE_REASON = f"{WAITING_REASON}: sound comes, but no picture has come yet"
# After this long the reason says that nothing comes, where it is unknown whether a sender is connected. By RTMP, one
# may be connected that sends nothing but sound.
SILENCE_REPORTED_S = 20.0
# The reason of the last opening is kept for so long: the next one may fail in the same way at once.
SETTLED_S = 3.0
# An opening that comes to another format sooner than this counts as failed: each costs a few processes.
REOPEN_S_MIN = 5.0


class LiveSourceOpener(SourceOpener):
    """A source with a receiver. A listener that waits has not failed.

    `previous_reason` is why the last opening failed, `refused` which sender one of them refused. `played` is what
    earlier openings have passed on of the source's HLS.
    """

    def __init__(
        self,
        ingest: Ingest,
        stream: Stream,
        config: WorkerConfig,
        now_s: float,
        previous_reason: str = "",
        played: PlayedSegments | None = None,
        refused: str = "",
    ) -> None:
        super().__init__()
        self._config = config
        self._stream = stream
        self._previous_reason = previous_reason
        self._refused = refused
        self._rejections = SrtRejections()
        self._played = played
        self.is_listener = ingest.mode is IngestMode.LISTEN
        self._began_at_s = now_s
        self._egress: Egress | None = None
        # The process that watches a frozen source until something moves.
        self._movement: Child | None = None
        self._frozen = ""
        self._ingest = ingest
        self._path: Path | None = None
        # A file, or the address of a pulled source, has to be looked up first.
        self._task = BackgroundTask(self._prepare)

    def update(self, now_s: float) -> None:
        """Start the receiver if its command is ready, and bring `status` and the rest up to date."""
        if self.status in (OpenerStatus.REFUSED, OpenerStatus.FAILED):
            return
        if self.receiver is None:
            self._receive()
        if self.receiver:
            self._judge(self.receiver, now_s)

    def adopt(self, stream: Stream) -> bool:
        """Continue under new settings of the same source; return False if it has to be opened again."""
        if self.receiver is None or (self._path and stream.renditions[0].copied) or self._has_other_variant(stream):
            return False
        try:
            self.segmentation = plan_copy(self.source, stream, self._config.ffmpeg_environ) if self.source else None
        except SourceRefused:
            return False
        self._stream = stream
        if self._movement and not stream.frozen_after_s:
            # A frozen source may be played from now on.
            self._movement.kill()
        return True

    def await_movement(self, reason: str) -> None:
        """Count as not ready until something moves in the source."""
        if self.receiver:
            self._frozen = reason
            self._movement = Child("watcher", watching_argv(), self._config.ffmpeg_environ, stdin=True)
            self.receiver.play(self._movement.stdin)

    @property
    def is_frozen(self) -> bool:
        """Return whether it waits until something moves in it."""
        return self._movement is not None and self._movement.is_running

    @property
    def rejected(self) -> tuple[str, float] | None:
        """Return why and when (monotonic) a sender was rejected last, if any was."""
        return self._rejections.newest

    def must_reopen(self, now_s: float) -> bool:
        """Return whether it has ended only because its format changes, and continues when it is opened again."""
        if self.receiver is None or self.receiver.is_running or self._egress is None:
            return False
        return now_s - self._began_at_s >= REOPEN_S_MIN and self._egress.hls.changes_format()

    def close(self) -> None:
        """End the receiver and its proxy."""
        if self._movement:
            self._movement.kill()
        if self.receiver:
            self.receiver.close()
        if self._egress:
            self._egress.stop()

    def _has_other_variant(self, stream: Stream) -> bool:
        """Return whether the source may have a variant that suits the new ladder better."""
        changed = limits_of(stream.renditions) != limits_of(self._stream.renditions)
        return changed and self._egress is not None and self._egress.hls.variant_count > 1

    def _prepare(self) -> ReceiverCommand | tuple[SourceUrl, IpAddress | None]:
        ingest, rules = self._ingest, self._config.egress
        if self.is_listener:
            return listen_command(ingest, self._stream, self._config)
        if ingest.mode is IngestMode.FILE:
            self._path = locate(ingest.path, self._config.media_dir)
            return file_command(self._path, ingest)
        url = check_source_url(ingest.url or "", ports=rules.ports, networks=rules.networks)
        # The proxy looks up all others whenever it connects. By SRT the checked address is connected to, since the name
        # may have another one a moment later.
        is_pinned = url.scheme == "srt"
        return url, resolve_all(url.host, rules.networks, RESOLVE_S_MAX, rules.lookup)[0] if is_pinned else None

    def _receive(self) -> None:
        if not self._task.is_done:
            return
        if self._task.result is None:
            self.status, self.reason = OpenerStatus.REFUSED, self._task.refusal
            return
        self.receiver = SourceReceiver(self._command(self._task.result), self._config.ffmpeg_environ, self._examine)

    def _examine(self, described: Mapping[str, Any]) -> SourceInfo:
        name = repr(self._path.name) if self._path else "what the source sends"
        source = read_source_info(described, name, self._path)
        self.segmentation = plan_copy(source, self._stream, self._config.ffmpeg_environ)
        return source

    def _command(self, found: ReceiverCommand | tuple[SourceUrl, IpAddress | None]) -> ReceiverCommand:
        if isinstance(found, ReceiverCommand):
            return found
        url, address = found
        if address:
            return pull_command(url, address, self._ingest)
        hls = HlsSession(limits_of(self._stream.renditions), self._played)
        self._egress = Egress(url, self._config.egress, hls)
        self._egress.start()
        way = Proxied(proxy_url=self._egress.url, ca_file=self._config.egress.ca_file)
        return pull_command(url, way, self._ingest)

    def _judge(self, receiver: SourceReceiver, now_s: float) -> None:
        self.source, silent_s = receiver.source, _silent_s(self._stream)
        if receiver.refusal:
            self.status, self.reason = OpenerStatus.REFUSED, receiver.refusal
        elif self._path is None and _copies(self._stream) and receiver.keyframes.are_too_long:
            self.status, self.reason = OpenerStatus.REFUSED, FAR_KEYFRAMES
        elif not receiver.is_running:
            refused = receiver.exit_status == EXIT_REFUSED
            self.status = OpenerStatus.REFUSED if refused else OpenerStatus.FAILED
            self.reason = receiver.ending() if refused else self._why_ended(receiver)
        elif self._egress and (still := self._egress.hls.failure()):
            self.status, self.reason = OpenerStatus.FAILED, self._with_refusal(still)
        elif self.is_frozen:
            self.status, self.reason = OpenerStatus.WAITING, self._frozen
        elif receiver.began_at_s is None and self.is_listener:
            self.status, self.reason = OpenerStatus.WAITING, self._why_waiting(receiver, now_s)
        elif self.source is None or receiver.began_at_s is None:
            # The description comes before the first packet.
            if now_s - (self._began_at_s if receiver.began_at_s is None else receiver.began_at_s) > OPEN_S_MAX:
                self.status, self.reason = (
                    OpenerStatus.FAILED,
                    self._with_refusal(f"no picture within {OPEN_S_MAX:.0f} s"),
                )
        elif receiver.is_flowing(now_s, silent_s):
            self.status, self.reason = OpenerStatus.READY, ""
        else:
            silent = self._with_refusal(f"nothing came for {silent_s:g} s")
            self.status, self.reason = OpenerStatus.FAILED, WAITING_REASON if self.is_listener else silent

    def _why_ended(self, receiver: SourceReceiver) -> str:
        if not self.is_listener:
            return self._with_refusal(receiver.ending())
        # A sender may disconnect at any time; a listener that cannot listen is a failure to report.
        if receiver.began_at_s:
            return WAITING_REASON
        # A sender was connected: SRT's receiver ends silent ones itself, the ingest those of RTMP.
        if receiver.exit_status == EXIT_MUTE:
            return MUTE_REASON + self._hint
        return f"{WAITING_REASON} ({receiver.ending()})"

    @property
    def _hint(self) -> str:
        return RTMP_HINT if self._ingest.protocol is ListenProtocol.RTMP else ""

    def _why_waiting(self, receiver: SourceReceiver, now_s: float) -> str:
        if receiver.has_sound_alone:
            return SOUND_ALONE_REASON
        waited_s = now_s - self._began_at_s
        if known := self._rejections.look(receiver.lines) or self._refused:
            return f"{WAITING_REASON}: {known}"
        if self._previous_reason.startswith(MUTE_REASON) or (self._previous_reason and waited_s < SETTLED_S):
            return self._previous_reason
        if self._hint and waited_s >= SILENCE_REPORTED_S:
            return f"{WAITING_REASON}: no picture has come for {SILENCE_REPORTED_S:.0f} s{self._hint}"
        return WAITING_REASON

    def _with_refusal(self, reason: str) -> str:
        """Put first what the proxy knows: a refusal, or that the source's playlists are stale or have ended."""
        if self._egress is None:
            return reason
        known = self._egress.last_refusal or self._egress.hls.stillness() or self._egress.hls.ending()
        return f"{known} ({reason})" if known and known != reason else reason


def _silent_s(stream: Stream) -> float:
    """Return how long a source may send nothing. A run that copies has nothing to show meanwhile."""
    if not _copies(stream):
        return SILENT_S_MAX
    return min(SILENT_S_MAX, SILENT_TARGETS * stream.segment_seconds - BEFORE_RUN_S)


def _copies(stream: Stream) -> bool:
    return any(rendition.copied for rendition in stream.renditions)
