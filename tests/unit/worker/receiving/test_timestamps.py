"""The time line of a source, whatever its clocks do. Times are milliseconds here."""

import pytest

from worker.media.messages import AUDIO, VIDEO
from worker.receiving.timestamps import AHEAD_TWO_TRACKS_US, PacketTimes, TimestampCorrector

WRAP_MS = 2**33 / 90


class Source:
    """A sender of packets, a picture or sound each 40 ms, which keeps their times on the time line."""

    def __init__(self, *, is_live: bool = True) -> None:
        # The discontinuity tags in front of what is read.
        self.tags: list[int] = []
        self.times = TimestampCorrector(is_live=is_live, tags=lambda: self.tags)
        self.clock_ms = 1_000_000.0
        self.at: dict[int, list[int]] = {VIDEO: [], AUDIO: []}

    def packet(self, track: int, dts_ms: float, pts_ms: float | None = None, duration_ms: float = 40) -> int:
        pts_ms = dts_ms if pts_ms is None else pts_ms
        times = PacketTimes(round(dts_ms * 1000), round(pts_ms * 1000), round(duration_ms * 1000))
        at_us, shift_us = self.times.correct(track, times, round(self.clock_ms * 1000))
        assert at_us == times.dts_us + shift_us
        self.at[track].append(round(at_us / 1000))
        return self.at[track][-1]

    def both(self, count: int, video_ms: float, audio_ms: float | None = None) -> None:
        """Send this many of each track from these times on, at the pace of the clock."""
        audio_ms = video_ms if audio_ms is None else audio_ms
        for n in range(count):
            self.packet(VIDEO, video_ms + 40 * n)
            self.packet(AUDIO, audio_ms + 40 * n)
            self.clock_ms += 40


def steady(count: int, start_ms: int = 0) -> list[int]:
    return [start_ms + 40 * n for n in range(count)]


@pytest.mark.parametrize("start_ms", [0, 3_600_000, -500])
def test_what_is_steady_begins_at_zero_and_keeps_its_times(start_ms: int) -> None:
    source = Source()
    source.both(100, start_ms, start_ms + 15)
    assert source.at == {VIDEO: steady(100), AUDIO: steady(100, 15)} and source.times.jumps == 0
    # Pictures in another order are shown from zero on.
    source = Source()
    # I, P, B, B: decoded two pictures before they are shown.
    for n, shown in enumerate([0, 3, 1, 2, 6, 4, 5]):
        source.packet(VIDEO, 40 * n, 80 + 40 * shown)
    assert source.at[VIDEO] == steady(7, -80) and source.times.jumps == 0


@pytest.mark.parametrize(
    ("before_ms", "after_ms"),
    [*((100_000, 102_000 + n) for n in (-1_000, -30_000, 30_000, 10**7)), (WRAP_MS - 2_000, 0)],
)
def test_tracks_that_jump_together_or_wrap_stay_in_step(before_ms: float, after_ms: float) -> None:
    source = Source()
    source.both(50, before_ms)
    source.both(50, after_ms)
    assert source.at == {VIDEO: steady(100), AUDIO: steady(100)} and source.times.jumps == 1


@pytest.mark.parametrize("is_known", [True, False], ids=["lasts as long as it says", "says nothing"])
def test_sound_shows_how_much_time_has_passed_while_a_slide_lasts(is_known: bool) -> None:
    source, slide_ms = Source(), 25_000
    for slide in range(4):
        source.packet(VIDEO, slide * slide_ms, duration_ms=slide_ms if is_known else 0)
        for at_ms in range(slide * slide_ms, (slide + 1) * slide_ms, 40):
            source.packet(AUDIO, at_ms)
            source.clock_ms += 40
    assert source.at[VIDEO] == [n * slide_ms for n in range(4)] and source.times.jumps == 0
    assert source.at[AUDIO] == steady(4 * slide_ms // 40)


@pytest.mark.parametrize("jump_ms", [-30_000, 30_000])
def test_one_tracks_clock_may_jump_while_the_others_go_on(jump_ms: int) -> None:
    source = Source()
    source.both(50, 100_000)
    source.both(50, 102_000, 102_000 + jump_ms)
    assert source.at[VIDEO] == steady(100) and source.times.jumps == 1
    # What is played is heard as early as it comes: within a packet of where it was.
    assert source.at[AUDIO][50] in range(2_000, 2_041)
    # And back again: the offset that it had is known.
    source.both(50, 104_000)
    assert source.at[AUDIO][100:] == steady(50, 4_000) and source.times.jumps == 1


def test_a_hole_in_a_recording_is_no_jump() -> None:
    source, hole_ms = Source(is_live=False), int(AHEAD_TWO_TRACKS_US / 1_000 - 1_000)
    source.both(50, 0)
    source.both(50, 2_000 + hole_ms)
    assert source.at[VIDEO] == [*steady(50), *steady(50, 2_000 + hole_ms)] and source.times.jumps == 0
    source.both(1, 4_000 + 2 * hole_ms + 10_000)
    assert source.at[VIDEO][100] == 4_000 + hole_ms and source.times.jumps == 1


@pytest.mark.parametrize(("waited_ms", "jumps"), [(60_000, 0), (59_000, 0), (100, 1)])
def test_a_live_pause_is_as_long_as_the_clocks(waited_ms: int, jumps: int) -> None:
    source = Source()
    source.both(50, 0)
    source.clock_ms += waited_ms
    source.both(50, 62_000)
    assert source.at[VIDEO][50:] == steady(50, 2_000 if jumps else 62_000) and source.times.jumps == jumps


def test_a_packet_without_times_or_duration_is_like_the_one_before() -> None:
    source = Source()
    source.packet(VIDEO, 5_000)
    assert source.times.correct(VIDEO, PacketTimes(None, None), 0) == (40_000, -5_000_000)
    assert source.packet(VIDEO, 5_040) == 40
    source = Source()
    for n in range(5):
        source.packet(VIDEO, 100 * n, duration_ms=0)
    assert source.times.end_us == 500_000 and source.packet(VIDEO, 5_000_000, duration_ms=0) == 500


@pytest.mark.parametrize("skip_ms", [300, 2_000])
@pytest.mark.parametrize("ahead", [VIDEO, AUDIO])
def test_a_skip_behind_a_discontinuity_tag_is_closed_with_tracks_in_step(ahead: int, skip_ms: int) -> None:
    source = Source(is_live=False)
    for turn in range(3):
        # Tags are known before what is behind them, and for some time after.
        source.tags = [tag for tag in (turn, turn + 1) if tag]
        start_ms = turn * (4_000 + skip_ms)
        # One track comes 400 ms before the other.
        for n in range(110):
            if n < 100:
                source.packet(ahead, start_ms + 40 * n)
            if n >= 10:
                source.packet(VIDEO + AUDIO - ahead, start_ms + 40 * (n - 10))
    assert source.at == {VIDEO: steady(300), AUDIO: steady(300)} and source.times.jumps == 2


def test_a_tag_closes_one_skip_and_no_pause_of_one_track() -> None:
    source = Source(is_live=False)
    source.both(50, 0)
    source.tags = [7]
    # Sound is missing for a second.
    for n in range(50, 75):
        source.packet(VIDEO, 40 * n)
    source.both(25, 3_000)
    assert source.at[AUDIO][50:] == steady(25, 3_000) and source.times.jumps == 0
    source.both(25, 6_000)
    assert source.at[VIDEO][100:] == steady(25, 4_000) and source.times.jumps == 1
    source.both(25, 9_000)
    assert source.at[VIDEO][125:] == steady(25, 7_000) and source.times.jumps == 1, "it has closed one"
    # It is passed by time stamps that restart.
    source = Source(is_live=False)
    source.both(50, 3_600_000)
    source.tags = [1]
    source.both(50, 0)
    source.both(50, 4_000)
    assert source.at[VIDEO][100:] == steady(50, 6_000) and source.times.jumps == 1
