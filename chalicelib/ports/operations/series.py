"""Time series, and what the schedule that writes them continues from."""

from collections.abc import Mapping
from typing import Protocol

from chalicelib.domain.operations.series import Overview, Sample, SamplerState, Slot, Step


class SeriesStore(Protocol):
    """Slots of the platform (scope "") and of each stream (scope: its id), by step. A slot is an epoch minute or hour.

    Minutes are kept for a day and hours for 400 days, at least.
    """

    def add(self, scope: str, step: Step, slots: Mapping[int, Sample]) -> None:
        """Store these slots. What a sample does not have stays as it is."""

    def read(self, scope: str, step: Step, first: int, last: int) -> Mapping[int, Slot]:
        """Return the stored slots from `first` to `last`, both included."""

    def state(self) -> SamplerState | None:
        """Return the state after the last sample by a consistent read; None before the first one."""

    def put_state(self, state: SamplerState, seen: SamplerState | None) -> bool:
        """Replace the state `seen`. Return False if another sample has replaced it meanwhile."""

    def overview(self) -> Overview | None:
        """Return the overview of the last sample; None before the first one."""

    def put_overview(self, overview: Overview) -> None:
        """Store the overview of a sample."""
