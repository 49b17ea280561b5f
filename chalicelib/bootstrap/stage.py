"""The settings and stores of a stage."""

from __future__ import annotations

from functools import cached_property

from chalicelib.config import Settings
from chalicelib.observability import report_error
from chalicelib.services.operations.audit import Audit
from chalicelib.stores import Stores


class Stage:
    """The settings and stores of a stage, and what all services use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stores = Stores(settings)

    @cached_property
    def audit(self) -> Audit:
        return Audit(
            log=self.stores.audit_log,
            clients=self.stores.clients,
            counters=self.stores.counters,
            clock=self.stores.clock,
            report=report_error,
        )
