from pathlib import Path

import pytest

from tests.media.inputs import edits

PICTURE, SOUND = 0x100, 0x101
BASE_S = 1.4


def stamp(seconds: float, mark: int) -> bytes:
    data = bytearray((mark << 4, 0, 0, 0, 0))
    edits._put_stamp(data, 0, round(seconds * edits.CLOCK_HZ) % edits.WRAP)
    return bytes(data)


def pes(pid: int, pts_s: float, dts_s: float | None = None) -> bytes:
    stamps = stamp(pts_s, 2) if dts_s is None else stamp(pts_s, 3) + stamp(dts_s, 1)
    head = b"\0\0\1\xe0\0\0\x80" + bytes((0x80 if dts_s is None else 0xC0, len(stamps))) + stamps
    return (b"\x47" + (0x4000 | pid).to_bytes(2) + b"\x10" + head).ljust(edits.PACKET, b"\xff")


def more(pid: int) -> bytes:
    return (b"\x47" + pid.to_bytes(2) + b"\x10").ljust(edits.PACKET, b"\xee")


def reference(seconds: float) -> bytes:
    base = round(seconds * edits.CLOCK_HZ) % edits.WRAP
    clock = (base << 15 | 0x7E00).to_bytes(6)
    return (b"\x47\x01\x00\x20\xb7\x10" + clock).ljust(edits.PACKET, b"\xff")


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    packets = [reference(1.0), pes(PICTURE, BASE_S + 0.08, BASE_S), pes(SOUND, BASE_S), more(SOUND)]
    packets += [pes(PICTURE, 6.48, 6.4), reference(6.0), pes(SOUND, 6.4), more(SOUND), pes(SOUND, 8.4)]
    Path("clean.ts").write_bytes(b"".join(packets))
    return tmp_path / "in.ts"


def times(path: Path, pid: int) -> list[float]:
    data = bytearray(path.read_bytes())
    found = [edits._stamps(data, at) for _, each, at in edits._packets(data) if each == pid and at is not None]
    return [round(value / edits.CLOCK_HZ, 3) for stamps in found for _, value in stamps]


def references(path: Path) -> list[float]:
    data = path.read_bytes()
    packets = [data[at : at + edits.PACKET] for at in range(0, len(data), edits.PACKET)]
    clocks = [packet[6:11] for packet in packets if packet[3] & 0x20]
    return [round((int.from_bytes(clock) >> 7) / edits.CLOCK_HZ, 3) for clock in clocks]


def test_sound_alone_is_cut_out(clip):
    edits.cut("clean.ts", "in.ts", "sound", "first=5", "last=6")
    assert times(clip, SOUND) == [1.4, 8.4] and times(clip, PICTURE) == [1.48, 1.4, 6.48, 6.4]
    assert clip.stat().st_size == 7 * edits.PACKET


def test_sound_alone_jumps_and_drifts(clip):
    edits.retime("clean.ts", "in.ts", "sound", "after=5", "shift=-0.5")
    assert times(clip, SOUND) == [1.4, 5.9, 7.9] and times(clip, PICTURE) == [1.48, 1.4, 6.48, 6.4]
    edits.retime("clean.ts", "in.ts", "sound", "ppm=1000")
    assert times(clip, SOUND) == [1.4, 6.405, 8.407]


def test_all_time_stamps_jump_with_their_clock(clip):
    edits.retime("clean.ts", "in.ts", "all", "after=5", "shift=3600")
    assert times(clip, SOUND) == [1.4, 3606.4, 3608.4] and times(clip, PICTURE)[2:] == [3606.48, 3606.4]
    assert references(clip) == [1.0, 3606.0]


def test_a_clock_wraps_at_33_bits(clip):
    edits.retime("clean.ts", "in.ts", "all", f"shift={edits.WRAP / edits.CLOCK_HZ - 4}")
    assert times(clip, SOUND)[1:] == [2.4, 4.4] and references(clip)[1] == 2.0


def test_damage_is_the_same_each_time(clip):
    Path("long.ts").write_bytes(Path("clean.ts").read_bytes() * 100)
    for name in ("drop", "cut_bytes", "flip"):
        edits.EDITS[name]("long.ts", "a.ts", "every=300")
        edits.EDITS[name]("long.ts", "b.ts", "every=300")
        assert Path("a.ts").read_bytes() == Path("b.ts").read_bytes() != Path("long.ts").read_bytes()


def test_segments_are_renamed_with_their_playlist(clip):
    for name in ("s0.ts", "s1.ts"):
        Path(name).write_bytes(b"")
    text = "#EXTM3U\n#EXTINF:2.0,\ns0.ts\n#EXTINF:2.0,\ns1.ts\n#EXT-X-ENDLIST\n"
    Path("live.m3u8").write_text(text)
    edits.rename_segments("live.m3u8", "ending=.php?x=1")
    assert Path("s0.php").exists() and "s1.php?x=1\n" in Path("live.m3u8").read_text()
    edits.without_end("live.m3u8")
    edits.with_discontinuities("live.m3u8", "every=1")
    assert Path("live.m3u8").read_text().endswith("s0.php?x=1\n#EXT-X-DISCONTINUITY\n#EXTINF:2.0,\ns1.php?x=1\n")
