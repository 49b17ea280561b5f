"""What lists of sessions read of the port `Reconciliations`, in memory."""

from collections.abc import Iterable, Mapping


class MemoryCutOffs:
    def __init__(self) -> None:
        self.measured_ms: dict[str, int] = {}

    def cut_offs(self, ends: Iterable[tuple[str, str]]) -> Mapping[str, int]:
        return {each: self.measured_ms[each] for _, each in ends if each in self.measured_ms}
