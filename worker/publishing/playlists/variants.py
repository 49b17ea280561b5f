"""What a multivariant playlist says of its renditions: pure rules over probes and measurements.

`BANDWIDTH` is what the standard calls the peak segment bit rate: of all contiguous segments that together last from
half a target duration to one and a half, the most bits a second. It is declared with some headroom, so that a slightly
heavier segment needs no new playlist, but never below the peak, and never a tenth above it for long.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.streams.runtime import PublishedRendition
from worker.publishing.playlists.media_playlist import Entry

HEADROOM = 1.05
# The rule for players is a tenth at most; bitrates are rounded up to whole kbit/s, which is a hundredth at worst.
EXCESS_MAX = 1.08
# How far the declared average may be off before it is worth a write.
AVERAGE_DRIFT = 0.05


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What a segment was found to hold. `codecs` is in the form of RFC 6381, `video_range` as in a playlist."""

    width: int
    height: int
    fps: float
    codecs: str
    video_range: str = "SDR"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Bits a second of what a playlist names: the peak as the standard counts it, and the average."""

    peak_bps: int
    average_bps: int


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One rendition in the multivariant playlist. `media_info` is None until it was probed."""

    name: str
    media_info: MediaInfo | None
    declared: Rates


def measure_rates(entries: Sequence[Entry], target_s: int) -> Rates | None:
    """Return the rates of a window; None while no segment's size is known."""
    known = [entry for entry in entries if entry.bitrate_kbps is not None]
    seconds = sum(entry.duration_s for entry in known)
    if seconds <= 0:
        return None
    average = math.ceil(1000 * sum(entry.duration_s * _kbps(entry) for entry in known) / seconds)
    peak = peak_bps(entries, target_s)
    # Where no set is long enough (a single short segment), there is nothing but the average.
    return Rates(peak_bps=max(peak or 0, average), average_bps=average)


def peak_bps(entries: Sequence[Entry], target_s: int) -> int | None:
    """Return the peak segment bit rate (RFC 8216, section 4.1)."""
    return max((rate for last in range(len(entries)) for rate in _sets(entries, last, target_s)), default=None)


def declare(before: Rates | None, now: Rates) -> Rates:
    """Return the rates to declare: those declared before as long as they are right."""
    peak, average = now.peak_bps, now.average_bps
    if before is None:
        peak = math.ceil(peak * HEADROOM)
        return Rates(peak_bps=peak, average_bps=min(average, peak))
    still = peak <= before.peak_bps <= peak * EXCESS_MAX
    peak = before.peak_bps if still else math.ceil(peak * HEADROOM)
    if abs(before.average_bps - average) <= average * AVERAGE_DRIFT:
        average = before.average_bps
    return Rates(peak_bps=peak, average_bps=min(average, peak))


def published_rendition(name: str, media_info: MediaInfo, rates: Rates) -> PublishedRendition:
    """Return the domain's rendition, with measured rather than declared rates."""
    return PublishedRendition(
        name=name,
        width=media_info.width,
        height=media_info.height,
        fps=media_info.fps,
        codecs=media_info.codecs,
        bandwidth_bps=rates.peak_bps,
        average_bandwidth_bps=rates.average_bps,
    )


def _sets(entries: Sequence[Entry], last: int, target_s: int) -> Iterator[int]:
    """Yield the rates of the sets of segments that end with this one."""
    seconds = kilobits = 0.0
    for index in range(last, -1, -1):
        entry = entries[index]
        seconds += entry.duration_s
        kilobits += entry.duration_s * _kbps(entry)
        if entry.bitrate_kbps is None or seconds > 1.5 * target_s:
            return
        if seconds >= 0.5 * target_s:
            yield math.ceil(1000 * kilobits / seconds)


def _kbps(entry: Entry) -> int:
    return entry.bitrate_kbps or 0
