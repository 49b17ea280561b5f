"""The port `SeriesStore` in memory. Nothing expires."""

from collections.abc import Mapping

from chalicelib.domain.operations.series import Overview, Sample, SamplerState, Slot, Step


class MemorySeries:
    def __init__(self) -> None:
        self.slots: dict[tuple[str, Step], dict[int, dict[str, Slot]]] = {}
        self._state: SamplerState | None = None
        self._overview: Overview | None = None

    def add(self, scope: str, step: Step, slots: Mapping[int, Sample]) -> None:
        rows = self.slots.setdefault((scope, step), {})
        for slot, sample in slots.items():
            parts = {"gauges": sample.gauges, "counts": sample.counts}
            rows.setdefault(slot, {}).update({name: dict(part) for name, part in parts.items() if part is not None})

    def read(self, scope: str, step: Step, first: int, last: int) -> Mapping[int, Slot]:
        rows = self.slots.get((scope, step), {})
        return {
            slot: {**parts.get("gauges", {}), **parts.get("counts", {})}
            for slot, parts in sorted(rows.items())
            if first <= slot <= last
        }

    def state(self) -> SamplerState | None:
        return self._state

    def put_state(self, state: SamplerState, seen: SamplerState | None) -> bool:
        if seen != self._state:
            return False
        self._state = state
        return True

    def overview(self) -> Overview | None:
        return self._overview

    def put_overview(self, overview: Overview) -> None:
        self._overview = overview
