"""Measure what time series cost: `python -m bench.series`.

Prints the write and read units of the samples of an hour, by the consumed capacity that the store reports (see
`bench.write_units`), for the platform alone and with streams that are watched and served; and the size of six series
of 24 hours, as JSON and compressed. Their values are random, which compresses worst.
"""

import argparse
import gzip
import random
from typing import Any

from bench.write_units import Units
from chalicelib.adapters import aws
from chalicelib.api.models.series import SeriesAnswer
from chalicelib.bootstrap import Container
from chalicelib.domain.operations.series import COUNTS, GAUGES, Sample, SeriesName, Step
from chalicelib.domain.operations.traffic import MINUTE_MS, Kept, Part, counts_of, hour_of
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from tests.fakes.simple import SetClock
from tests.fixtures.emulator import private_stage

DAY_MINUTES = 1_440
# On the hour, so that the hour before is summed up in the sixth minute.
FROM_MS = 1_800_057_600_000
NAMES = ("active_sessions", "points_per_minute", "egress_bytes", "ingest_bitrate_bps", "manifest_age_ms", "answers_2xx")


class SeriesBench:
    """Streams of a stage with a clock that is set. Each minute they are reported, served and sampled."""

    def __init__(self, services: Container) -> None:
        services.stores.clock = self.clock = SetClock(FROM_MS + 20_000)
        self.services = services
        self.stream_ids: list[str] = []
        self._batch = 0

    def add_stream(self) -> None:
        """Add a stream that should be live."""
        stream_id = f"stream-{len(self.stream_ids):04}"
        ingest = Ingest(mode=IngestMode.TEST)
        self.services.stores.streams.add(
            Stream(stream_id=stream_id, title="x", ingest=ingest, desired_state=DesiredState.LIVE)
        )
        self.stream_ids.append(stream_id)

    def prepare_minute(self) -> None:
        """Let a minute pass in which every stream is reported and served."""
        self._batch += 1
        counts = counts_of(Part.MEDIA, 200, 90_000_000, {Kept.SEGMENT: True, Kept.VERDICT: True})
        usage, minute = self.services.stores.usage, self.clock.now_ms() // MINUTE_MS
        usage.count(minute, "", counts, follower="0a1b2c3d", batch=self._batch)
        self.clock.advance(MINUTE_MS)
        now_ms = self.clock.now_ms()
        for stream_id in self.stream_ids:
            usage.count(hour_of(minute), stream_id, counts, follower="0a1b2c3d", batch=self._batch)
            self._report(stream_id, now_ms)
        usage.mark("0a1b2c3d", now_ms - 5_000, reported_at_ms=now_ms)

    def _report(self, stream_id: str, now_ms: int) -> None:
        runtimes = self.services.stores.runtimes
        claim = runtimes.claim(stream_id, "w1", now_ms, now_ms + 10_000)
        assert claim is not None
        figures: dict[str, Any] = {"ingest_bitrate_bps": 4_012_345, "segments_per_minute": 29.97}
        figures |= {"state": RuntimeState.LIVE, "reported_at_ms": now_ms, "last_manifest_at_ms": now_ms - 1_500}
        runtimes.report(claim, Runtime(stream_id=stream_id, claim=claim, **figures))


def samples(bench: SeriesBench, units: Units, minutes: int) -> float:
    """Print what the next samples cost, and return the write units of one."""
    writes, reads = 0.0, 0.0
    for _ in range(minutes):
        bench.prepare_minute()
        units.write.clear()
        units.read.clear()
        assert bench.services.sampler.sample() is not None
        writes, reads = writes + sum(units.write.values()), reads + sum(units.read.values())
    writes, reads = writes / minutes, reads / minutes
    print(f"{len(bench.stream_ids)} streams: a sample {writes:.2f} write units, {reads:.2f} read units", flush=True)
    return writes


def size_of_a_day(services: Container) -> None:
    """Print the size of six series of 24 hours."""
    chosen, series = random.Random(1), services.stores.series
    now = services.stores.clock.now_ms() // MINUTE_MS
    for first in range(now - DAY_MINUTES, now, 10):
        slots = {}
        for minute in range(first, first + 10):
            gauges = {column: chosen.randrange(10_000) for column in GAUGES}
            counts = {column: chosen.randrange(10_000) for column in COUNTS}
            gauges["ingest_bitrate_bps"] = chosen.randrange(3_000_000, 5_000_000)
            counts["egress_bytes"] = chosen.randrange(10**9, 9 * 10**9)
            slots[minute] = Sample(gauges=gauges, counts=counts)
        series.add("", Step.MINUTE, slots)
    names = [SeriesName(name) for name in NAMES]
    found = services.series.columns(names, stream_id=None, from_ms=None, to_ms=None, step=Step.MINUTE)
    body = SeriesAnswer(stream_id=None, step_s=60, **vars(found)).model_dump_json().encode()
    print(f"{len(names)} series of 24 h: {len(body):,} B of JSON, {len(gzip.compress(body, 1)):,} B compressed")


def main() -> None:
    """Run the measurements on an emulator of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--minutes", type=int, default=20, help="samples of each run; a row has ten minutes")
    arguments = parser.parse_args()
    with private_stage() as settings:
        bench = SeriesBench(Container(settings))
        units = Units(aws.client("dynamodb"))
        alone = samples(bench, units, arguments.minutes)
        for _ in range(arguments.streams):
            bench.add_stream()
        together = samples(bench, units, arguments.minutes)
        by_stream = (together - alone) / arguments.streams
        print(f"a day: {alone * DAY_MINUTES:,.0f} write units, and {by_stream * DAY_MINUTES:,.0f} for each live stream")
        size_of_a_day(bench.services)


if __name__ == "__main__":
    main()
