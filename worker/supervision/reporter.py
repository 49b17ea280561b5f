"""Reports the actual state of a stream: every few seconds, and at every change."""

from chalicelib.domain.streams.outages import with_outages
from chalicelib.domain.streams.runtime import PublishedRendition, Runtime
from chalicelib.ports.common import Clock
from chalicelib.ports.streams.streams import Runtimes
from worker.claims import HeldClaim
from worker.publishing.publication import Publication
from worker.supervision.driver import Driver
from worker.supervision.state_machine import StreamStateMachine

INTERVAL_S = 10.0
ERROR_CHARS_MAX = 500


class Reporter:
    """The writer of one stream's runtime under its claim."""

    def __init__(self, runtimes: Runtimes, clock: Clock, held_claim: HeldClaim) -> None:
        self._runtimes = runtimes
        self._clock = clock
        self._held_claim = held_claim
        self._previous: Runtime | None = None
        self._last: tuple[object, ...] | None = None
        self._due_s = 0.0

    def report_if_due(
        self,
        now_s: float,
        state_machine: StreamStateMachine,
        generation: int,
        driver: Driver,
        publication: Publication | None,
    ) -> None:
        """Write if the interval has passed or something that operators act on has changed.

        Give the claim up if another worker has it. Raise `StoreUnavailable`; the next call then tries again.
        """
        state, error = state_machine.state, state_machine.last_error
        running = driver.progress
        mark = (state, generation, state_machine.restarts, error, driver.source)
        if mark == self._last and now_s < self._due_s:
            return
        if self._previous is None:
            self._previous = self._runtimes.get(self._held_claim.claim.stream_id)
        runtime = Runtime(
            stream_id=self._held_claim.claim.stream_id,
            state=state,
            generation=generation,
            reported_at_ms=self._clock.now_ms(),
            # Under any settings: with new ones, an outage began with the last playlist of the old ones.
            last_manifest_at_ms=self._held_claim.last_manifest_at_ms,
            bitrate_bps=publication.throughput.bitrate_bps if publication and running else None,
            ingest_bitrate_bps=driver.ingest_bitrate_bps,
            segments_per_minute=publication.throughput.segments_per_minute if publication else None,
            published=self._published(publication, generation),
            fps=running.fps if running else None,
            speed=running.speed if running else None,
            dropped_frames=driver.dropped_frames,
            restarts=state_machine.restarts,
            source=driver.source,
            tracks=driver.tracks,
            repairs=running.repairs if running else None,
            last_error=error[:ERROR_CHARS_MAX] if error else None,
        )
        runtime = with_outages(self._previous, runtime, self._clock.now_ms())
        if self._runtimes.report(self._held_claim.claim, runtime):
            self._previous = runtime
            self._last, self._due_s = mark, now_s + INTERVAL_S
        else:
            self._held_claim.give_up()

    def _published(self, publication: Publication | None, generation: int) -> tuple[PublishedRendition, ...]:
        """Return what was found of the renditions; before that, what any worker found under the same settings."""
        if publication and publication.published:
            return publication.published
        return self._previous.published if self._previous and self._previous.generation == generation else ()
