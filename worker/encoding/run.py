"""One run of ffmpeg, from its start to its last segment."""

from collections.abc import Mapping

from worker.encoding.argv import Plan, ffmpeg_argv
from worker.encoding.ffmpeg import Ffmpeg
from worker.ingest.feed import Feed
from worker.publishing.inbox import Inbox

STOP_GRACE_S = 1.0


class Run:
    """A process and the directory that it fills. Made by the thread that supervises it. `feed` is of a live source."""

    def __init__(self, number: int, plan: Plan, environ: Mapping[str, str], feed: Feed | None = None) -> None:
        names = [rendition.name for rendition in plan.renditions]
        for name in names:
            (plan.directory / name).mkdir(parents=True, exist_ok=True)
        self.number = number
        self.inbox = Inbox(number, plan.directory, names, plan.offset_s, plan.target_s)
        self.ffmpeg = Ffmpeg(ffmpeg_argv(plan), environ, stdin=feed is not None)
        self._feed = feed
        if feed:
            feed.play(self.ffmpeg.stdin)

    def end(self, *, kill: bool = False) -> None:
        """End it and close its inbox; what it has finished can still be published."""
        if self._feed:
            # A signal does not wake an ffmpeg that waits for its input; the end of its input does.
            self._feed.play(None)
        self.ffmpeg.stop(0.0 if kill else STOP_GRACE_S)
        self.inbox.close()
