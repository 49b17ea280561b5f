"""Strategies that take segments in parts, in several qualities, or under several names."""

from collections.abc import Callable
from functools import partial
from itertools import count, cycle

from tests.faults.adversary.loops import fetch_and_lapse, missing
from tests.faults.adversary.received import Segment
from tests.faults.adversary.viewer import CONNECTIONS, RETRY_S, Session, Viewer

# Enough of a segment to play it.
ALMOST_ALL = 0.97
PIECES = 8
HEAD_BYTES = 1_024
# Bytes that are not UTF-8, quotes, escapes, and a line's start.
ODD = ("\xff", "caf\xe9", '"', "\\", '\\"}', '{"at":"', "\x7f", "\t", "x" * 1_500, "\xc3" * 199 + "\xa9")
ODD_PREFIX = '/\xff"/..'


def break_off(viewer: Viewer) -> None:
    """Close each connection just before the end of the segment."""
    fetch_and_lapse(viewer, share=ALMOST_ALL)


def several_ranges_at_once(viewer: Viewer) -> None:
    """Ask for all of a segment but its first bytes, as two ranges of one request."""
    fetch_and_lapse(viewer, ranges="188-4095,4096-")


def many_small_ranges(viewer: Viewer) -> None:
    """Ask for eighths of each segment."""
    _in_ranges(viewer, lambda size: [(n * size // PIECES, (n + 1) * size // PIECES - 1) for n in range(PIECES)])


def two_halves(viewer: Viewer) -> None:
    """Ask for each half of a segment."""
    _in_ranges(viewer, lambda size: [(0, size // 2), (size // 2 + 1, size - 1)])


def overlapping_ranges(viewer: Viewer) -> None:
    """Ask for two thirds of a segment twice, which overlap in the middle."""
    _in_ranges(viewer, lambda size: [(size // 3, size - 1), (0, size * 2 // 3)])


def switch_renditions(viewer: Viewer) -> None:
    """Fetch the first half of each segment in one quality and the second half in the other."""
    while viewer.is_running():
        session = viewer.start()
        while session and viewer.is_running() and not session.is_over:
            wanted = missing(viewer, session)[-CONNECTIONS:]
            others = {each.name: each for each in viewer.segments(session, rendition=0)}
            viewer.each(partial(_take_halves, viewer, session, others), wanted)
            if not wanted:
                viewer.sleep(RETRY_S)


def many_user_agents(viewer: Viewer) -> None:
    """Send each request under another user agent, so that no decision is cached for it."""
    viewer.agents = (f"agent-{number}" for number in count())
    fetch_and_lapse(viewer)


def odd_user_agents(viewer: Viewer) -> None:
    """Send user agents that a log or its reader may not accept."""
    viewer.agents = cycle(ODD)
    fetch_and_lapse(viewer)


def odd_paths(viewer: Viewer) -> None:
    """Send addresses that nginx normalizes to those of segments, and that a log may not accept as they were sent."""
    viewer.path_prefix = ODD_PREFIX
    fetch_and_lapse(viewer)


def _in_ranges(viewer: Viewer, ranges_of: Callable[[int], list[tuple[int, int]]]) -> None:
    while viewer.is_running():
        session = viewer.start()
        while session and viewer.is_running() and not session.is_over:
            wanted = missing(viewer, session)[-CONNECTIONS:]
            if not any(viewer.each(partial(_take, viewer, session, ranges_of), wanted)):
                viewer.sleep(RETRY_S)


def _take(
    viewer: Viewer, session: Session, ranges_of: Callable[[int], list[tuple[int, int]]], segment: Segment
) -> bool:
    """Fetch a segment by ranges. Return whether anything arrived."""
    size = _size(viewer, session, segment)
    answers = [
        viewer.fetch(session, segment, ranges=f"{first}-{last}")
        for first, last in (ranges_of(size) if size else [])
        if not session.is_over
    ]
    return any(each.served for each in answers)


def _take_halves(viewer: Viewer, session: Session, others: dict[str, Segment], segment: Segment) -> None:
    for part, ranges in ((segment, "0-{}"), (others.get(segment.name, segment), "{}-")):
        if size := _size(viewer, session, part):
            viewer.fetch(session, part, ranges=ranges.format(size // 2))


def _size(viewer: Viewer, session: Session, segment: Segment) -> int:
    """Return the size of a segment, from its first bytes; 0 if it was refused."""
    return viewer.fetch(session, segment, ranges=f"0-{HEAD_BYTES - 1}").size
