"""The services of monitoring."""

from __future__ import annotations

from functools import cached_property

from chalicelib.bootstrap.streams import StreamServices
from chalicelib.config import VERSION
from chalicelib.services.operations.canary import Canary
from chalicelib.services.operations.exporter import Exporter
from chalicelib.services.operations.monitoring import Monitoring
from chalicelib.services.operations.sampler import Sampler
from chalicelib.services.operations.series import SeriesService


class OperationServices(StreamServices):
    """The services of monitoring."""

    @cached_property
    def monitoring(self) -> Monitoring:
        return Monitoring(
            streams=self.stores.streams,
            media=self.stores.media,
            counters=self.stores.counters,
            sessions=self.stores.sessions,
            usage=self.stores.usage,
            errors=self.stores.errors,
            clock=self.stores.clock,
        )

    @cached_property
    def sampler(self) -> Sampler:
        stores = self.stores
        return Sampler(
            series=stores.series,
            streams=stores.streams,
            runtimes=stores.runtimes,
            sessions=stores.sessions,
            counters=stores.counters,
            usage=stores.usage,
            reconciliations=stores.reconciliations,
            queue=stores.queue,
            canary_runs=stores.canary_runs,
            workers=self.workers,
            clock=stores.clock,
        )

    @cached_property
    def series(self) -> SeriesService:
        return SeriesService(self.stores.series, self.stores.streams, self.stores.clock)

    @cached_property
    def canary(self) -> Canary:
        return Canary(runs=self.stores.canary_runs, counters=self.stores.counters, clock=self.stores.clock)

    @cached_property
    def exporter(self) -> Exporter:
        return Exporter(
            monitoring=self.monitoring,
            reconciled=self.reconciliation.figures,
            canary=self.canary,
            counters=self.stores.counters,
            usage=self.stores.usage,
            streams=self.stores.streams,
            runtimes=self.stores.runtimes,
            workers=self.stores.workers,
            queue=self.stores.queue,
            clock=self.stores.clock,
            version=VERSION,
        )
