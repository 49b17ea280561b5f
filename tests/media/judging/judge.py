"""Judges the published media of an input."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tests.media.inputs.model import Expect, Input
from tests.media.judging import measures, picture, sound
from tests.media.judging.measures import Probed
from tests.media.judging.picture import Area, Frame
from tests.media.judging.segments import Decoded, Segment, bar_steps_per_s, combed_share, continuous, decode

# Seconds at both ends of a span without sound are not judged, since codecs reach over them.
EDGE_S = 0.3
# Which share of a second has to be silent, or sound, to call it so.
MOSTLY = 0.7
TONE_OFF_MAX = 0.12
# The small copy has few columns of an upright picture: two more of them are no fault.
SHAPE_OFF_MAX = 0.12
# Skipped at the beginning of a run, where decoders start.
SETTLED_S = 0.5
LOOKED_AT_MAX = 12
COMBED_SHARE_MAX = 0.2
# A file's turn may take the bar back, once in a segment.
BACK_PER_S_MAX = 0.6


@dataclass(frozen=True)
class Result:
    """The result of an input. `figure` is the measurement."""

    faults: tuple[str, ...]
    figure: str
    # Published media that was worth paying for, in seconds.
    worth_s: float = 0.0

    @property
    def is_right(self) -> bool:
        return not self.faults


def judge(item: Input, segments: Sequence[Segment], refusal: str = "") -> Result:
    """Compare the segments of one rendition, in their order, with the expectations of the row.

    `refusal` is the platform's reason where it plays nothing.
    """
    expect = item.expect
    words = expect.refused or expect.may_refuse
    if expect.refused or (refusal and not segments and words):
        return _refused(words, segments, refusal)
    if not segments:
        return Result((f"nothing was published: {refusal or 'no reason given'}",), "nothing")
    parts = [decode(part) for part in continuous(segments)]
    media_s = sum(segment.extinf_s for segment in segments)
    faults = [
        *_lengths(expect, segments, media_s),
        *_sound(expect, segments, parts),
        *_pictures(expect, segments, parts),
    ]
    seconds = clock_seconds(parts) if expect.has_clock or expect.replays_max is not None else []
    faults += _clock(expect, item, seconds)
    worth_s = min(media_s, expect.content_s) if expect.content_s else media_s
    return Result(tuple(faults), _figure(segments, parts, media_s), worth_s)


def _refused(words: tuple[str, ...], segments: Sequence[Segment], refusal: str) -> Result:
    if segments:
        return Result((f"{len(segments)} segments were published of what cannot be played",), "published")
    if not any(word.lower() in refusal.lower() for word in words):
        return Result((f"the reason has none of {', '.join(words)}: {refusal or 'none given'}",), "refused")
    return Result((), f"refused: {refusal[:90]}")


def _lengths(expect: Expect, segments: Sequence[Segment], media_s: float) -> Iterator[str]:
    if media_s < expect.seconds_min:
        yield f"{media_s:.0f} s came, at least {expect.seconds_min:g} s should"
    fresh = sum(segment.is_discontinuous for segment in segments[1:])
    if fresh > expect.discontinuities_max:
        yield f"{fresh} discontinuities, {expect.discontinuities_max} may be"
    if fresh < expect.discontinuities_min:
        yield f"{fresh} discontinuities, at least {expect.discontinuities_min} should be"
    for part in continuous(segments):
        for kind in ("pictures", "sound"):
            if off := measures.breaks([getattr(segment.probed, kind) for segment in part]):
                yield f"{kind} break off between segments by {max(off, key=abs):+.2f} s, {len(off)} times"
    off_s = [measures.sound_off_s(segment.probed, segment.extinf_s) for segment in segments]
    wrong = [each for each in off_s if abs(each) > expect.sound_s_off_max]
    if wrong and (expect.sound or any(segment.probed.sound for segment in segments)):
        yield f"the sound of {len(wrong)} of {len(segments)} segments is off by {max(wrong, key=abs):+.2f} s"


def _sound(expect: Expect, segments: Sequence[Segment], parts: Sequence[Decoded]) -> Iterator[str]:
    levels = [level for part in parts for level in part.levels]
    if not expect.sound:
        if any(level.loud_db > sound.SILENT_DB for level in levels):
            yield "there is sound, of a source that has none"
        return
    hz = sound.tone_hz(levels)
    if abs(hz - expect.tone_hz) > TONE_OFF_MAX * expect.tone_hz:
        yield f"the tone has {hz:.0f} Hz, should have {expect.tone_hz} Hz" if hz else "there is no sound"
    longest = max((sound.silence_s(part.levels) for part in parts), default=0.0)
    if not expect.silent and longest > expect.silence_s_max:
        yield f"silence for {longest:.2f} s, {expect.silence_s_max:g} s may be"
    if expect.silent and expect.has_clock:
        yield from _silent_seconds(expect, parts)
    skew = _skew_s(parts)
    if expect.skew_s_max is not None and skew is not None and abs(skew) > expect.skew_s_max:
        yield f"the beep comes {skew:+.2f} s after the flash"


def _silent_seconds(expect: Expect, parts: Sequence[Decoded]) -> Iterator[str]:
    """Compare the sound with the input's clock, second by second, and yield the faults."""
    wrong: dict[str, set[int]] = {"sound": set(), "silence": set()}
    for part in parts:
        for second, first_s, last_s in clock_spans(part.frames):
            share = sound.silent_share(part.levels, first_s + EDGE_S, last_s - EDGE_S)
            inside = any(first <= second and second + 1 <= last for first, last in expect.silent)
            if share is None or (not inside and any(first - 1 < second < last for first, last in expect.silent)):
                continue
            if inside and share < 1 - MOSTLY:
                wrong["sound"].add(second)
            if not inside and share > MOSTLY:
                wrong["silence"].add(second)
    for what, found in wrong.items():
        if found:
            yield f"{what} in seconds {', '.join(map(str, sorted(found)))} of the source"


def _pictures(expect: Expect, segments: Sequence[Segment], parts: Sequence[Decoded]) -> Iterator[str]:
    longest = max((picture.still_s(part.frames) for part in parts), default=0.0)
    if expect.still_s_max is not None and longest > expect.still_s_max:
        yield f"the picture is frozen for {longest:.1f} s, {expect.still_s_max:g} s may be"
    sizes = tuple(dict.fromkeys(segment.probed.size for segment in segments if segment.probed.pictures))
    if expect.sizes and sizes != expect.sizes:
        yield f"the sizes are {', '.join(sizes)}, should be {', '.join(expect.sizes)}"
    if expect.pictures_per_s:
        rate = pictures_per_s(parts)
        if not expect.pictures_per_s[0] <= rate <= expect.pictures_per_s[1]:
            yield f"{rate:.1f} pictures a second, should be {expect.pictures_per_s[0]} to {expect.pictures_per_s[1]}"
    if expect.moves_per_s:
        on, back = bar_steps_per_s(segments[-1])
        if not expect.moves_per_s[0] <= on <= expect.moves_per_s[1] or back > BACK_PER_S_MAX:
            wanted = f"{expect.moves_per_s[0]:g} to {expect.moves_per_s[1]:g} times a second"
            yield f"the picture moves {on:.1f} times a second, should {wanted}, and {back:.1f} times back"
    if expect.progressive:
        share = combed_share(segments[-1])
        if share > COMBED_SHARE_MAX:
            yield f"{100 * share:.0f}% of the pictures have combs"
    looked_at = _spread([frame for part in parts for frame in part.frames])
    if not expect.sizes and looked_at:
        yield from _shape(expect, looked_at, _pixel_ratio(segments))


def _shape(expect: Expect, frames: Sequence[Frame], pixel_ratio: float) -> Iterator[str]:
    areas = [(frame, area) for frame in frames if (area := picture.active_area(frame))]
    if not areas:
        yield "the picture is black"
        return
    if expect.shape:
        ratios = [pixel_ratio * (area.right - area.left) / (area.bottom - area.top) for _, area in areas]
        wanted = expect.shape[0] / expect.shape[1]
        if expect.upright and abs(median(ratios) - wanted) > SHAPE_OFF_MAX * wanted:
            yield f"the picture is shown as {median(ratios):.2f}:1, should be {wanted:.2f}:1"
    wrong = [
        picture.corners(frame, area, expect.vivid)
        for frame, area in areas
        if not picture.is_upright(frame, area, expect.vivid)
    ]
    if expect.upright and len(wrong) > len(areas) / 3:
        yield f"the corners are {', '.join(Counter(wrong).most_common(1)[0][0])}"
    badges = Counter(picture.badge(frame, area) for frame, area in areas)
    if expect.badge and expect.upright and badges.most_common(1)[0][0] != expect.badge:
        yield f"the badge is {badges.most_common(1)[0][0]}, should be {expect.badge}: another picture"


def _pixel_ratio(segments: Sequence[Segment]) -> float:
    """Return how wide a cell of the small copy is in proportion to its height, as the picture is displayed."""
    # A segment whose first picture is missing has no size.
    found = next((segment.probed for segment in segments if segment.probed.height), Probed(width=16, height=9))
    return found.width / found.height * found.pixel_ratio * picture.GRID_HEIGHT / picture.GRID_WIDTH


def clock_spans(frames: Sequence[Frame]) -> list[tuple[int, float, float]]:
    """Return each second of the input's clock that is shown, with when it begins and ends in the output."""
    spans: list[tuple[int, float, float]] = []
    area = Area(0, 0, picture.GRID_WIDTH, picture.GRID_HEIGHT)
    for frame in frames:
        second = picture.clock(frame, area)
        if spans and spans[-1][0] == second:
            spans[-1] = (second, spans[-1][1], frame.at_s)
        else:
            spans.append((second, frame.at_s, frame.at_s))
    # A single picture that reads otherwise is damage, not a second.
    return [span for span in spans if span[2] > span[1]]


def clock_seconds(parts: Sequence[Decoded]) -> list[int]:
    """Return the seconds of the input's clock in the order in which they are shown."""
    return [second for part in parts for second, _, _ in clock_spans(part.frames)]


def _clock(expect: Expect, item: Input, seconds: Sequence[int]) -> Iterator[str]:
    if expect.missing_s_max is not None:
        missing = set(range(int(item.turn_s))) - set(seconds)
        if len(missing) > expect.missing_s_max:
            yield f"seconds {min(missing)} to {max(missing)} of the source never come ({len(missing)} s)"
    back = replays(seconds)
    if expect.replays_max is not None and back > expect.replays_max:
        yield f"the same seconds come again, {back} times"


def replays(seconds: Sequence[int]) -> int:
    """Return how often the clock goes back to what was shown before. A slate has no clock: it reads 0."""
    back, latest = 0, 0
    for second in seconds:
        if 0 < second < latest:
            back, latest = back + 1, second
        latest = max(latest, second)
    return back


def pictures_per_s(parts: Sequence[Decoded]) -> float:
    """Return how many pictures a second are shown."""
    longest = max((part.frames for part in parts), key=len, default=[])
    return (len(longest) - 1) / (longest[-1].at_s - longest[0].at_s) if len(longest) > 1 else 0.0


def _spread(frames: Sequence[Frame]) -> Sequence[Frame]:
    return frames[:: max(1, len(frames) // LOOKED_AT_MAX)]


def _skew_s(parts: Sequence[Decoded]) -> float | None:
    area = Area(0, 0, picture.GRID_WIDTH, picture.GRID_HEIGHT)
    found = []
    for part in parts:
        settled = [frame for frame in part.frames if frame.at_s - part.frames[0].at_s > SETTLED_S]
        found.append(sound.skew_s(picture.flashes(settled, area), sound.beeps(part.levels)))
    return max((each for each in found if each is not None), key=abs, default=None)


def _figure(segments: Sequence[Segment], parts: Sequence[Decoded], media_s: float) -> str:
    off_s = max((measures.sound_off_s(segment.probed, segment.extinf_s) for segment in segments), key=abs)
    skew = _skew_s(parts)
    fresh = sum(segment.is_discontinuous for segment in segments[1:])
    figures = [f"{media_s:.0f} s", f"sound {off_s:+.2f} s", "A-V none" if skew is None else f"A-V {skew:+.2f} s"]
    return ", ".join(figures + [f"{fresh} discontinuities"] * bool(fresh))
