"""The services of streams and their workers."""

from __future__ import annotations

from functools import cached_property, partial

from chalicelib.bootstrap.accounts import AccountServices
from chalicelib.domain.streams.source_urls import check_source_url
from chalicelib.services.operations.workers import WorkersService
from chalicelib.services.streams.controller import Controller
from chalicelib.services.streams.ingest_issues import IngestIssuesService
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from chalicelib.services.streams.run_logs import RunLogsService
from chalicelib.services.streams.stream_states import StreamStates
from chalicelib.services.streams.streams import StreamsService


class StreamServices(AccountServices):
    """The services of streams and their workers."""

    @cached_property
    def workers(self) -> WorkersService:
        return WorkersService(self.stores.workers, self.stores.clock)

    @cached_property
    def ingest_issues(self) -> IngestIssuesService:
        return IngestIssuesService(self.stores.ingest_issues, self.stores.clock)

    @cached_property
    def controller(self) -> Controller:
        return Controller(
            streams=self.stores.streams,
            runtimes=self.stores.runtimes,
            sessions=self.stores.sessions,
            queue=self.stores.queue,
            billing=self.billing,
            workers=self.workers,
            ingest_issues=self.ingest_issues,
            denylist=self.stores.denylist,
            clock=self.stores.clock,
        )

    @cached_property
    def streams(self) -> StreamsService:
        return StreamsService(
            streams=self.stores.streams,
            runtimes=self.stores.runtimes,
            sessions=self.stores.sessions,
            controller=self.controller,
            audit=self.audit,
            clock=self.stores.clock,
            # Only nginx knows the clients of media requests, and it is there if its denylist is.
            sees_clients=self.settings.denylist_dir is not None,
            check_source=partial(
                check_source_url, ports=self.settings.ingest_ports, networks=self.settings.ingest_networks
            ),
        )

    @cached_property
    def stream_states(self) -> StreamStates:
        return StreamStates(
            service=self.streams,
            streams=self.stores.streams,
            runtimes=self.stores.runtimes,
            sessions=self.stores.sessions,
            issues=self.ingest_issues,
            refusals=self.ingest_refusals,
            clock=self.stores.clock,
        )

    @cached_property
    def run_logs(self) -> RunLogsService:
        return RunLogsService(self.streams, self.stores.media)

    @cached_property
    def ingest_refusals(self) -> IngestRefusals:
        return IngestRefusals(self.stores.media, self.stores.clock)
