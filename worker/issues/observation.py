"""What a worker knows of its stream at one moment. None: unknown, which is never taken for zero."""

from dataclasses import dataclass

from chalicelib.domain.streams.media_health import Repairs


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One look at a stream.

    `run` is the number of the present run, 0 before the first, and `repairs` what it has repaired; None while none
    runs. `is_copied`: its pictures are not decoded. `frozen_sources` are open and not played, since nothing moves in
    them. `published_fault` is why runs were replaced lately, `""` if none was, None if no segment was looked into.
    """

    run: int = 0
    repairs: Repairs | None = None
    is_copied: bool = False
    frozen_sources: tuple[str, ...] = ()
    published_fault: str | None = None
