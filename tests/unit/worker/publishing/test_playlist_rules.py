from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.playlist_size import COPIED_SEGMENT_S_MIN, ENTRIES_MAX, PLAYLIST_BYTES_MAX
from chalicelib.domain.streams.stream import WINDOW_MINUTES_MAX, Stream, stream_faults
from worker.publishing.playlists.media_playlist import Entry, Playlist, PlaylistError, epoch_of, parse

START = datetime(2026, 1, 1, tzinfo=UTC)


def entry(number: int, duration_s: float = 2.0) -> Entry:
    return Entry(f"7-1-{number:06d}.ts", duration_s, START + timedelta(seconds=2 * number))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def filled(count: int, *, breaks: tuple[int, ...] = ()) -> Playlist:
    playlist = Playlist(target_s=2)
    for number in range(count):
        if number in breaks:
            playlist = playlist.with_interruption()
        playlist = playlist.append(entry(number), 2.0 * (number + 1))
    return playlist


def discontinuities(playlist: Playlist) -> dict[int, int]:
    """Return the discontinuity sequence number of each number, as RFC 8216 counts it."""
    counted, result = playlist.discontinuity_sequence, {}
    for index, each in enumerate(playlist.entries):
        counted += each.discontinuity
        result[playlist.first_sequence + index] = counted
    return result


def test_what_is_from_before_a_long_outage_leaves_by_the_clock() -> None:
    later = Entry("7-2-000000.ts", 2.0, START + timedelta(days=1))
    resumed = filled(5, breaks=(2,)).with_interruption().append(later, 12.0)
    moved = resumed.trim(60, later.end)
    assert [entry.uri for entry in moved.entries] == ["7-2-000000.ts"]
    assert (moved.first_sequence, moved.discontinuity_sequence) == (5, 1) and discontinuities(moved) == {5: 2}
    # What is within the window stays, across the break.
    soon = filled(5).with_interruption().append(Entry("7-2-000000.ts", 2.0, at(13)), 12.0)
    assert soon.trim(9, at(15)).first_sequence == 2


def test_a_playlist_never_has_more_segments_than_can_be_played() -> None:
    """Keyframes of a copied source may come closer, and a window may be older than the bound."""
    count = ENTRIES_MAX + 5
    long = Playlist(target_s=2, entries=tuple(entry(number, 0.1) for number in range(count)))
    kept = long.trim(WINDOW_MINUTES_MAX * 60, at(0))
    assert (len(kept.entries), kept.first_sequence, kept.next_sequence) == (ENTRIES_MAX, 5, count)


def test_what_is_stale_goes_and_numbering_goes_on() -> None:
    playlist = filled(5, breaks=(2,)).without_older(START + timedelta(days=1)).with_interruption()
    assert playlist.entries == () and playlist.first_sequence == 5 and playlist.discontinuity_sequence == 1
    resumed = playlist.append(entry(5), 12.0)
    assert resumed.entries[0].discontinuity and discontinuities(resumed) == {5: 2}
    assert len(filled(5).without_older(START + timedelta(seconds=4)).entries) == 4


def test_no_target_is_below_a_segment_rounded() -> None:
    for duration_s, target_s in ((6.0, 6), (6.499, 6), (6.5, 7), (2.5, 3), (0.3, 0)):
        playlist = Playlist(target_s=6).append(entry(0, duration_s), duration_s)
        assert (playlist.target_s_min, playlist.without_first(1).target_s_min) == (target_s, 0)


def test_the_file_is_what_players_expect() -> None:
    assert filled(3, breaks=(2,)).without_first(1).render(7, ended=True).decode().split() == [
        *("#EXTM3U", "#TOLLCAST-EPOCH:7", "#TOLLCAST-CLOCK:6.000000", "#EXT-X-MEDIA-SEQUENCE:1", "#EXT-X-VERSION:6"),
        *("#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-TARGETDURATION:2"),
        *("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:02.000+00:00", "#EXTINF:2.000000,", "7-1-000001.ts"),
        "#EXT-X-DISCONTINUITY",
        *("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000+00:00", "#EXTINF:2.000000,", "7-1-000002.ts"),
        "#EXT-X-ENDLIST",
    ]
    # The epoch makes another object of the same window.
    playlist = filled(3)
    assert playlist.render(7) != playlist.render(8)
    assert epoch_of(playlist.render(8)) == 8
    assert epoch_of(b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n") == 0


NO_TARGET, NO_NUMBER = b"#EXTM3U\n#EXTINF:2,\na.ts\n", b"#EXTM3U\n#EXT-X-TARGETDURATION:x\n"


def test_what_is_no_playlist_is_said_to_be_none() -> None:
    for body in (b"", b"junk", b"\xff\xfe", NO_NUMBER, NO_TARGET, b"<html></html>"):
        with pytest.raises(PlaylistError):
            parse(body)
    # One of short segments is read though ffmpeg calls their target nothing.
    time = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000+0000"
    read = parse(f"#EXTM3U\n#EXT-X-TARGETDURATION:0\n#EXTINF:0.320000,\n{time}\n1-1-000000.ts\n".encode())
    assert [(entry.uri, entry.duration_s) for entry in read.entries] == [("1-1-000000.ts", 0.32)]


AMOUNTS = {"append": (20_000, 10_000_000), "interrupt": (0, 0), "trim": (0, 30)}
AMOUNTS |= {"pause": (0, 100_000), "take over": (0, 60)}
STEPS = [st.tuples(st.just(what), st.integers(*bounds)) for what, bounds in AMOUNTS.items()]


@settings(deadline=None)
@given(st.lists(st.one_of(STEPS), max_size=60))
def test_whatever_happens_numbers_keep_their_segments(steps: list[tuple[str, int]]) -> None:
    playlist, now, epoch, made = Playlist(target_s=10), START, 1, 0
    numbers: dict[int, tuple[str, int]] = {}
    for what, amount in steps:
        before = playlist
        if what == "append":
            made += 1
            seconds = amount / 1_000_000
            playlist = playlist.append(Entry(f"{epoch}-1-{made:06d}.ts", seconds, now), 0.0)
            now += timedelta(milliseconds=amount // 1_000)
        elif what == "interrupt":
            playlist = playlist.with_interruption()
        elif what == "trim":
            playlist = playlist.trim(amount, now)
        elif what == "pause":
            now += timedelta(seconds=amount)
        else:
            read = parse(playlist.render(epoch))
            assert (read.entries, read.next_sequence) == (playlist.entries, playlist.next_sequence)
            assert read.discontinuity_sequence == playlist.discontinuity_sequence
            epoch += 1
            playlist = read.without_older(now - timedelta(seconds=amount)).with_interruption()
        assert playlist.first_sequence >= before.first_sequence
        assert playlist.next_sequence >= before.next_sequence
        for index, (number, discontinuity) in enumerate(discontinuities(playlist).items()):
            named = (playlist.entries[index].uri, discontinuity)
            assert numbers.setdefault(number, named) == named


ENCODED = Stream(stream_id="s", title="t", ingest=Ingest(mode=IngestMode.FILE, path="a.mp4"))
COPIED = replace(ENCODED, abr_profile="source")


def playlist_of(count: int, segment_s: float) -> Playlist:
    """Return a playlist with the longest possible names and bitrates, and a new run now and then."""
    entries = tuple(
        Entry(f"99999999-99999-{n:07d}.ts", segment_s, START + timedelta(seconds=segment_s * n), n % 10 == 0, 32_700)
        for n in range(count)
    )
    return Playlist(target_s=10, first_sequence=10**9, discontinuity_sequence=10**6, entries=entries, clock_s=1e9)


def window_minutes_max(stream: Stream) -> int:
    """Return the longest accepted window."""
    minutes = range(WINDOW_MINUTES_MAX, 0, -1)
    return next(each for each in minutes if not stream_faults(replace(stream, window_minutes=each)))


@pytest.mark.parametrize(
    ("stream", "segment_seconds", "segment_s", "minutes"),
    [
        *((ENCODED, 1, 1, 260), (ENCODED, 2, 2, 520), (ENCODED, 3, 3, WINDOW_MINUTES_MAX)),
        *((COPIED, 1, COPIED_SEGMENT_S_MIN, 65), (COPIED, 10, COPIED_SEGMENT_S_MIN, 65)),
    ],
)
def test_the_longest_window_makes_a_playlist_that_can_be_played(stream, segment_seconds, segment_s, minutes) -> None:
    assert window_minutes_max(replace(stream, segment_seconds=segment_seconds)) == minutes
    # One segment more than the window has, since the oldest leaves when all of it is over.
    longest = playlist_of(int(minutes * 60 / segment_s) + 1, segment_s)
    assert PLAYLIST_BYTES_MAX / 2 < len(longest.render(99_999_999)) < PLAYLIST_BYTES_MAX


def test_what_is_refused_is_named_with_what_is_allowed() -> None:
    assert stream_faults(replace(ENCODED, window_minutes=720, segment_seconds=1)) == [
        "window_minutes 720 with segment_seconds 1 makes a playlist of up to 5.53 MB, where 2 MB can be played;"
        " allowed: window_minutes up to 260, or segment_seconds 3 and more"
    ]
    assert stream_faults(replace(COPIED, window_minutes=66, segment_seconds=10)) == [
        "window_minutes 66 makes a playlist of up to 2.03 MB, where 2 MB can be played, and the profile `source` is"
        " cut at the source's own keyframes, as often as every 0.25 s; allowed: window_minutes up to 65"
    ]
