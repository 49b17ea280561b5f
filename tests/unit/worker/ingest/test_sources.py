from fractions import Fraction
from pathlib import Path
from unicodedata import normalize

import pytest

from chalicelib.domain.streams.media_health import SourceTrack, TrackKind
from worker.encoding.source_info import SourceInfo, SourceRefused
from worker.ingest.sources import locate, read_source_info


@pytest.fixture
def media_dir(tmp_path: Path) -> Path:
    root = tmp_path / "media"
    (root / "shows").mkdir(parents=True)
    (root / "shows" / "a.mp4").write_bytes(b"x")
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (root / "inside.mp4").symlink_to(root / "shows" / "a.mp4")
    (root / "outside.mp4").symlink_to(tmp_path / "secret.mp4")
    (root / "up").symlink_to(tmp_path)
    (root / "dangling.mp4").symlink_to(tmp_path / "none.mp4")
    (root / "loop.mp4").symlink_to(root / "loop.mp4")
    return root


@pytest.mark.parametrize("name", ["shows/a.mp4", "inside.mp4", "shows/../inside.mp4"])
def test_files_inside_are_found(media_dir: Path, name: str) -> None:
    assert locate(name, media_dir) == (media_dir / "shows" / "a.mp4").resolve()


def refusal(name: str | None, media_dir: Path) -> str:
    with pytest.raises(SourceRefused) as refused:
        locate(name, media_dir)
    return str(refused.value).replace(repr(name), "it")


OUTSIDE = ["outside.mp4", "dangling.mp4", "../secret.mp4", "../none.mp4", "shows/../../secret.mp4", "up/secret.mp4"]
OTHERS = ["none.mp4", "/etc/passwd", "loop.mp4", "shows", ".", "a\x00b", "http://127.0.0.1/a.mp4", "concat:inside.mp4"]


def test_everything_else_is_refused_and_a_file_outside_looks_like_a_missing_one(media_dir: Path) -> None:
    for name in (None, "", "é" * 200, *OTHERS):
        assert refusal(name, media_dir)
    assert len({refusal(name, media_dir) for name in OUTSIDE}) == 1


@pytest.mark.parametrize(("typed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_by_its_letters(media_dir: Path, typed: str, stored: str) -> None:
    # Where both are there, it is the one that was typed.
    for form in (stored, typed):
        path = media_dir / normalize(form, "Série é/Å épisode.mp4")
        path.parent.mkdir()
        path.write_bytes(b"x")
        assert locate(normalize(typed, "Série é/Å épisode.mp4"), media_dir) == path
    # Nothing outside is found by its letters.
    (media_dir.parent / "caf\u00e9.mp4").write_bytes(b"x")
    (media_dir / normalize("NFD", "dehors é.mp4")).symlink_to(media_dir.parent / "caf\u00e9.mp4")
    for name in ("up/cafe\u0301.mp4", "../cafe\u0301.mp4", "shows/../../cafe\u0301.mp4", "dehors \u00e9.mp4"):
        assert "there is no file" in refusal(name, media_dir)
    # Nor is a missing directory a missing file.
    assert "does not exist on this worker" in refusal("a.mp4", media_dir / "none")


VIDEO = {"codec": "h264", "width": 4096, "height": 2304, "rate": "50", "rotation": 90, "is_interlaced": True}
OFFERED = {"kind": "video", "track": 1, "program": None, "codec": "h264", "language": None, "title": None}
OFFERED |= {"details": "4096x2304, 50 fps", "is_default": True, "is_played": True}


def test_what_a_receiver_describes_is_what_is_known_of_a_source() -> None:
    path = Path("/media/a.mp4")
    described = {"video": VIDEO, "audio": {"codec": "opus"}, "offered": [OFFERED]}
    found = read_source_info(described, "'a.mp4'", path)
    assert found == SourceInfo(
        width=4_096,
        height=2_304,
        rate=Fraction(50),
        is_interlaced=True,
        has_audio=True,
        video_codec="h264",
        audio_codec="opus",
        rotation=90,
        tracks=(SourceTrack(**{**OFFERED, "kind": TrackKind.VIDEO}),),
        path=path,
    )
    silent = read_source_info({**described, "audio": None}, "'a.mp4'", path)
    assert (silent.has_audio, silent.audio_codec) == (False, None)
    unknown = read_source_info({**described, "video": {**VIDEO, "rate": None, "is_interlaced": False}}, "'a.mp4'", path)
    assert (unknown.rate, unknown.is_interlaced) == (None, False)
    # Sound that no header of ADTS describes is not what is copied.
    for extradata, codec in [("", "aac"), ("EYAExARAACEQ", "aac (own layout)")]:
        audio = {"codec": "aac", "extradata": extradata}
        assert read_source_info({"video": VIDEO, "audio": audio, "offered": []}, "'a.mp4'").audio_codec == codec
    # A picture is no larger than what is decoded of it.
    described = {"video": {**VIDEO, "height": 2306}, "audio": None, "offered": []}
    with pytest.raises(SourceRefused, match="what the source sends is 4096x2306; allowed: as many pixels as 4096x2304"):
        read_source_info(described, "what the source sends")
