"""Edits of finished files that ffmpeg cannot make: what lines break, clocks jump and cameras leave out.

Each function takes words of a line of `Input.make`: names of files in the working directory, then `name=value`.
"""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

PACKET = 188
CLOCK_HZ = 90_000
WRAP = 1 << 33
# ffmpeg's muxer gives the first picture 0x100 and the first sound 0x101.
PIDS = {"picture": {0x100}, "sound": {0x101}, "all": set(range(0x100, 0x110))}
LINE = "1\n00:00:01,000 --> 00:00:08,000\nA line of text\n"
FLV_HEADER_BYTES = 13


def join(*names: str) -> None:
    """Write files behind one another into the last one named."""
    *parts, out = map(Path, names)
    out.write_bytes(b"".join(part.read_bytes() for part in parts))


def cut(source: str, out: str, stream: str, first: str, last: str) -> None:
    """Leave out the packets of one stream whose time is from `first` to `last`, in seconds of the clip."""
    begin, end, pids = _argument(first) * CLOCK_HZ, _argument(last) * CLOCK_HZ, PIDS[stream]
    removed: dict[int, bool] = {}
    kept = bytearray()
    data = bytearray(Path(source).read_bytes())
    start = _start(data)
    for at, pid, pes in _packets(data):
        if pid in pids and pes is not None:
            stamp = _stamps(data, pes)[-1][1]
            removed[pid] = begin <= stamp - start < end
        if not removed.get(pid, False):
            kept += data[at : at + PACKET]
    Path(out).write_bytes(kept)


def retime(source: str, out: str, stream: str, *changes: str) -> None:
    """Change the time stamps of one stream, or of all with their clock reference: `after`, `shift`, `ppm`."""
    given = dict(change.split("=") for change in changes)
    after, shift = float(given.get("after", 0)) * CLOCK_HZ, float(given.get("shift", 0)) * CLOCK_HZ
    ppm, pids = float(given.get("ppm", 0)), PIDS[stream]
    data = bytearray(Path(source).read_bytes())
    start, clock_jumped = _start(data), False

    def moved(stamp: int, jumps: bool) -> int:
        return round(stamp + (stamp - start) * ppm / 1e6 + (shift if jumps else 0)) % WRAP

    for at, pid, pes in _packets(data):
        if pid in pids and pes is not None:
            stamps = _stamps(data, pes)
            jumps = stamps[-1][1] - start >= after
            clock_jumped = clock_jumped or jumps
            for place, stamp in stamps:
                _put_stamp(data, place, moved(stamp, jumps))
        if stream == "all" and data[at + 3] & 0x20 and data[at + 4] and data[at + 5] & 0x10:
            base = int.from_bytes(data[at + 6 : at + 11]) >> 7
            rest = int.from_bytes(data[at + 6 : at + 12]) & 0x7FFF
            data[at + 6 : at + 12] = (moved(base, clock_jumped) << 15 | rest).to_bytes(6)
    Path(out).write_bytes(data)


def damage(source: str, out: str, stream: str, first: str, last: str, every: str) -> None:
    """Overwrite the end of each so many packets of one stream whose time is from `first` to `last`."""
    begin, end, step = _argument(first) * CLOCK_HZ, _argument(last) * CLOCK_HZ, int(_argument(every))
    data, count, is_within = bytearray(Path(source).read_bytes()), 0, False
    start = _start(data)
    for at, pid, pes in _packets(data):
        if pid not in PIDS[stream]:
            continue
        if pes is not None:
            is_within = begin <= _stamps(data, pes)[-1][1] - start < end
        elif is_within:
            count += 1
            if count % step == 0:
                data[at + PACKET - 100 : at + PACKET] = bytes(range(100))
    Path(out).write_bytes(data)


def drop(source: str, out: str, every: str) -> None:
    """Lose about one transport packet in so many."""
    rng, data = random.Random(1), Path(source).read_bytes()
    chance = 1 / _argument(every)
    packets = (data[at : at + PACKET] for at in range(0, len(data), PACKET))
    Path(out).write_bytes(b"".join(each for n, each in enumerate(packets) if n < 50 or rng.random() > chance))


def join_flv(first: str, second: str, out: str) -> None:
    """Put the tags of one FLV file behind another, as of an encoder whose settings change while it is connected."""
    Path(out).write_bytes(Path(first).read_bytes() + Path(second).read_bytes()[FLV_HEADER_BYTES:])


def cut_bytes(source: str, out: str, every: str) -> None:
    """Lose some bytes after each so many, so that packets are no longer where they should be."""
    data, step = Path(source).read_bytes(), int(_argument(every))
    Path(out).write_bytes(b"".join(data[at : at + step - 57] for at in range(0, len(data), step)))


def flip(source: str, out: str, every: str) -> None:
    """Turn about one bit in so many bytes, past the first tables."""
    rng, data = random.Random(1), bytearray(Path(source).read_bytes())
    for _ in range(len(data) // int(_argument(every))):
        data[rng.randrange(50 * PACKET, len(data))] ^= 1 << rng.randrange(8)
    Path(out).write_bytes(data)


def truncate(source: str, out: str, share: str) -> None:
    """Keep the beginning only, as of an upload that broke off."""
    data = Path(source).read_bytes()
    Path(out).write_bytes(data[: int(len(data) * _argument(share))])


def subtitles(out: str) -> None:
    """Write a file of subtitles."""
    Path(out).write_text(LINE)


def rename_segments(playlist: str, ending: str) -> None:
    """Give the segments of a playlist another ending than .ts; what follows a `?` is not in the files' names."""
    _, _, ending = ending.partition("=")
    path = Path(playlist)
    for segment in path.parent.glob("*.ts"):
        segment.rename(segment.with_name(segment.stem + ending.partition("?")[0]))
    path.write_text(re.sub(r"(?m)^(\w+)\.ts$", rf"\1{ending}", path.read_text()))


def without_end(playlist: str) -> None:
    """Let a playlist be that of a live source that has stopped: without ENDLIST."""
    path = Path(playlist)
    path.write_text(path.read_text().replace("#EXT-X-ENDLIST\n", ""))


def with_discontinuities(playlist: str, every: str) -> None:
    """Mark a discontinuity in front of each so many segments."""
    path, count = Path(playlist), 0
    lines = []
    for line in path.read_text().splitlines():
        if line.startswith("#EXTINF"):
            if count and count % int(_argument(every)) == 0:
                lines.append("#EXT-X-DISCONTINUITY")
            count += 1
        lines.append(line)
    path.write_text("\n".join([*lines, ""]))


def repeat_segments(playlist: str, times: str) -> None:
    """Name the segments of a playlist several times, with a discontinuity in front of each turn."""
    path = Path(playlist)
    head, first, rest = path.read_text().replace("#EXT-X-ENDLIST\n", "").partition("#EXTINF")
    turns = [first + rest] * int(_argument(times))
    path.write_text(head + "#EXT-X-DISCONTINUITY\n".join(turns) + "#EXT-X-ENDLIST\n")


def join_playlists(out: str, *playlists: str) -> None:
    """Name the segments of several playlists one after the other, with a discontinuity between."""
    parts = [Path(each).read_text().replace("#EXT-X-ENDLIST\n", "").partition("#EXTINF") for each in playlists]
    joined = "#EXT-X-DISCONTINUITY\n".join(first + rest for _, first, rest in parts)
    Path(out).write_text(parts[0][0] + joined + "#EXT-X-ENDLIST\n")


def variants(out: str, playlist: str, count: str) -> None:
    """Write a multivariant playlist with so many names for one media playlist, heaviest first."""
    lines = ["#EXTM3U"]
    for n in range(int(_argument(count)), 0, -1):
        name = f"v{n}.m3u8"
        Path(name).write_text(Path(playlist).read_text())
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={n * 200_000},RESOLUTION=320x180", name]
    Path(out).write_text("\n".join([*lines, ""]))


def key(out: str) -> None:
    """Write a key for HLS's AES-128, and the file that names it to ffmpeg (`OUT.info`)."""
    Path(out).write_bytes(bytes(range(16)))
    Path(f"{out}.info").write_text(f"{out}\n{out}\n")


EDITS: dict[str, Callable[..., None]] = {
    each.__name__: each
    for each in (
        *(join, join_flv, cut, retime, damage, drop, cut_bytes, flip, truncate, subtitles),
        *(rename_segments, without_end, with_discontinuities, repeat_segments, join_playlists),
        *(variants, key),
    )
}


def _argument(text: str) -> float:
    return float(text.rpartition("=")[2])


def _packets(data: bytearray) -> Iterator[tuple[int, int, int | None]]:
    """Yield of each packet where it is, its PID, and where its PES header is, if one begins in it."""
    for at in range(0, len(data) - PACKET + 1, PACKET):
        pid = int.from_bytes(data[at + 1 : at + 3]) & 0x1FFF
        body = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        begins = data[at + 1] & 0x40 and data[body : body + 3] == b"\0\0\1" and data[body + 7] & 0x80
        yield at, pid, body if begins else None


def _stamps(data: bytearray, pes: int) -> list[tuple[int, int]]:
    """Return where the PTS of a PES header is, and its DTS if it has one, each with its value."""
    places = [pes + 9, pes + 14] if data[pes + 7] & 0x40 else [pes + 9]
    return [(at, (data[at] >> 1 & 7) << 30 | _bits(data, at + 1) << 15 | _bits(data, at + 3)) for at in places]


def _bits(data: bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 2]) >> 1


def _put_stamp(data: bytearray, at: int, stamp: int) -> None:
    data[at] = data[at] & 0xF0 | stamp >> 30 << 1 | 1
    data[at + 1 : at + 3] = ((stamp >> 15 & 0x7FFF) << 1 | 1).to_bytes(2)
    data[at + 3 : at + 5] = ((stamp & 0x7FFF) << 1 | 1).to_bytes(2)


def _start(data: bytearray) -> int:
    return min(_stamps(data, pes)[-1][1] for _, _, pes in _packets(data) if pes is not None)
