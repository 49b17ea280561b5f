"""Issues of the source that is played: its format, its bitrate and its keyframes."""

from collections import deque
from collections.abc import Collection
from statistics import median

from chalicelib.domain.streams.issues.ingest_issues import Finding, IssueType, finding_if
from worker.issues.observation import Observation, PlayedSource
from worker.issues.tracker import Verdicts

# A change of size counts for so long.
SIZE_CHANGED_S = 120.0
# Senders usually have 2 s between keyframes. An open issue stays open down to the second value.
KEYFRAMES_S_MAX, KEYFRAMES_S_STAYS = 4.0, 3.0
# The bitrate is compared with its median of five minutes, once it is known for a minute. It is measured over 5 s.
BITRATE_WINDOW_S, BITRATE_KNOWN_S, BITRATE_INTERVAL_S = 300.0, 60.0, 5.0
LOW_SHARE, LOW_SHARE_STAYS = 0.4, 0.6
# How many times the best rendition's bitrate a source may have.
LADDER_FACTOR, LADDER_FACTOR_STAYS = 3.0, 2.5


class SourceRules:
    """The rules, and what they remember of one connection."""

    def __init__(self, time_scale: float = 1.0) -> None:
        self._scale = time_scale
        self._connection = 0
        self._bitrates: deque[tuple[float, int]] = deque()
        # The sizes by source, since a backup usually has another one, and the last change.
        self._sizes: dict[str, tuple[int, int]] = {}
        self._change: tuple[float, str] | None = None

    def verdicts(self, now_s: float, seen: Observation, open_types: Collection[IssueType]) -> Verdicts:
        """Return the verdicts on the played source; none of the pattern and the slate, or while nothing is played."""
        source = seen.source
        if source is None:
            return {}
        if source.connection != self._connection:
            self._connection = source.connection
            self._bitrates.clear()
        found: dict[IssueType, Finding | None] = {
            IssueType.AUDIO_ABSENT: finding_if(not source.has_audio, "the source has no sound track", "a sound track"),
            IssueType.INTERLACED: finding_if(source.is_interlaced, "the source is interlaced", "progressive pictures"),
            IssueType.ROTATED: finding_if(
                source.rotation != 0, f"the picture is turned by {source.rotation}°", "upright"
            ),
            **self._size(now_s, source),
            **_keyframes(source, IssueType.KEYFRAMES_FAR_APART in open_types),
        }
        if source.bitrate_bps is not None:
            found |= self._falling(now_s, source.bitrate_bps, source.moves, IssueType.BITRATE_LOW in open_types)
            if seen.ladder_bps is not None:
                is_open = IssueType.BITRATE_ABOVE_LADDER in open_types
                found |= _above_ladder(source.bitrate_bps, seen.ladder_bps, is_open)
        return found

    def _size(self, now_s: float, source: PlayedSource) -> dict[IssueType, Finding | None]:
        if source.width is None or source.height is None:
            return {}
        size = source.width, source.height
        before = self._sizes.get(source.name, size)
        self._sizes[source.name] = size
        if size != before:
            self._change = now_s, f"the picture changed from {before[0]}x{before[1]} to {size[0]}x{size[1]}"
        if self._change is None or now_s - self._change[0] >= SIZE_CHANGED_S * self._scale:
            return {IssueType.PICTURE_SIZE_CHANGED: None}
        return {IssueType.PICTURE_SIZE_CHANGED: Finding(actual=self._change[1], expected="one size")}

    def _falling(
        self, now_s: float, bitrate_bps: int, moves: bool | None, is_open: bool
    ) -> dict[IssueType, Finding | None]:
        samples = self._bitrates
        if not samples or now_s - samples[-1][0] >= BITRATE_INTERVAL_S * self._scale:
            samples.append((now_s, bitrate_bps))
        while now_s - samples[0][0] > BITRATE_WINDOW_S * self._scale:
            samples.popleft()
        if now_s - samples[0][0] < BITRATE_KNOWN_S * self._scale:
            return {}
        usual_bps = median(bps for _, bps in samples)
        share = LOW_SHARE_STAYS if is_open else LOW_SHARE
        actual = f"{_mbps(bitrate_bps)}, and {_mbps(usual_bps)} as the median of the last minutes"
        expected = f"at least {LOW_SHARE_STAYS * 100:.0f} % of the median"
        # A picture that stands still needs hardly any bits.
        is_low = bitrate_bps < share * usual_bps and moves is not False
        return {IssueType.BITRATE_LOW: finding_if(is_low, actual, expected)}


def _keyframes(source: PlayedSource, is_open: bool) -> dict[IssueType, Finding | None]:
    interval_s = source.keyframe_interval_s
    if interval_s is None:
        return {}
    allowed_s = KEYFRAMES_S_STAYS if is_open else KEYFRAMES_S_MAX
    finding = finding_if(interval_s > allowed_s, f"{interval_s:.1f} s between keyframes", "2 s, at most 4 s")
    return {IssueType.KEYFRAMES_FAR_APART: finding}


def _above_ladder(bitrate_bps: int, ladder_bps: int, is_open: bool) -> dict[IssueType, Finding | None]:
    factor = LADDER_FACTOR_STAYS if is_open else LADDER_FACTOR
    expected = f"at most {_mbps(LADDER_FACTOR * ladder_bps)}, three times the best rendition"
    return {IssueType.BITRATE_ABOVE_LADDER: finding_if(bitrate_bps > factor * ladder_bps, _mbps(bitrate_bps), expected)}


def _mbps(bitrate_bps: float) -> str:
    return f"{bitrate_bps / 1e6:.2f} Mbit/s"
