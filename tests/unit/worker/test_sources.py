from fractions import Fraction
from pathlib import Path
from unicodedata import normalize

import pytest

from chalicelib.domain.media_health import TrackKind
from worker.ingest.sources import examine, locate, output_rate
from worker.source_info import SourceRefused


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


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "none.mp4",
        "/etc/passwd",
        "../secret.mp4",
        "shows/../../secret.mp4",
        "outside.mp4",
        "up/secret.mp4",
        "dangling.mp4",
        "loop.mp4",
        "shows",
        ".",
        "a\0b",
        "http://127.0.0.1/a.mp4",
        "concat:inside.mp4",
        "é" * 200,
    ],
)
def test_everything_else_is_refused(media_dir: Path, name: str | None) -> None:
    with pytest.raises(SourceRefused):
        locate(name, media_dir)


def test_what_exists_outside_cannot_be_told_from_what_does_not(media_dir: Path) -> None:
    refusals = []
    for name in ("outside.mp4", "dangling.mp4", "../secret.mp4", "../none.mp4"):
        with pytest.raises(SourceRefused) as refused:
            locate(name, media_dir)
        refusals.append(str(refused.value).replace(repr(name), "it"))
    assert len(set(refusals)) == 1


@pytest.mark.parametrize(("typed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_by_its_letters(media_dir: Path, typed: str, stored: str) -> None:
    path = media_dir / normalize(stored, "Série é/Å épisode.mp4")
    path.parent.mkdir()
    path.write_bytes(b"x")
    assert locate(normalize(typed, "Série é/Å épisode.mp4"), media_dir) == path
    # Where both are there, it is the one that was typed.
    other = media_dir / normalize(typed, "Série é/Å épisode.mp4")
    other.parent.mkdir()
    other.write_bytes(b"x")
    assert locate(normalize(typed, "Série é/Å épisode.mp4"), media_dir) == other


def test_nothing_outside_is_found_by_its_letters(media_dir: Path) -> None:
    (media_dir.parent / "caf\u00e9.mp4").write_bytes(b"x")
    (media_dir / normalize("NFD", "dehors é.mp4")).symlink_to(media_dir.parent / "caf\u00e9.mp4")
    for name in ("up/cafe\u0301.mp4", "../cafe\u0301.mp4", "shows/../../cafe\u0301.mp4", "dehors \u00e9.mp4"):
        with pytest.raises(SourceRefused, match="there is no file"):
            locate(name, media_dir)


def test_a_missing_media_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="does not exist on this worker"):
        locate("a.mp4", tmp_path / "none")


@pytest.mark.parametrize(
    ("rate", "published"),
    [
        ("25", Fraction(25)),
        ("24000/1001", Fraction(24000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        ("60", Fraction(30)),
        ("60000/1001", Fraction(30000, 1001)),
        ("50", Fraction(25)),
        ("120", Fraction(30)),
        ("1", Fraction(16)),
        ("1/2", Fraction(16)),
        # A picture an hour, as a sender can claim by its time stamps.
        ("1/3600", Fraction(4096, 225)),
        ("1/2147483647", Fraction(16)),
        (None, Fraction(30)),
    ],
)
def test_the_published_frame_rate(rate: str | None, published: Fraction) -> None:
    assert output_rate(Fraction(rate) if rate else None) == published


TRACK = {
    "kind": "audio",
    "track": 1,
    "program": 2,
    "codec": "aac",
    "language": "deu",
    "title": None,
    "details": "48000 Hz, stereo",
    "is_default": True,
    "is_played": True,
}
VIDEO = {"codec": "h264", "width": 4096, "height": 2304, "rate": "25", "rotation": 90}


def test_what_a_receiver_says_is_what_the_source_is() -> None:
    found = examine({"video": VIDEO, "audio": {"codec": "aac"}, "offered": [TRACK]}, "it")
    assert (found.video_codec, found.audio_codec, found.has_audio, found.rotation) == ("h264", "aac", True, 90)
    assert found.rate == 25 and found.tracks[0].program == 2 and found.tracks[0].kind is TrackKind.AUDIO
    silent = examine({"video": VIDEO, "audio": None, "offered": []}, "it")
    assert (silent.has_audio, silent.audio_codec, silent.tracks) == (False, None, ())


def test_a_picture_is_no_larger_than_what_is_decoded_of_it() -> None:
    large = {**VIDEO, "height": 2306}
    with pytest.raises(SourceRefused, match="what it sends is 4096x2306; allowed: as many pixels as 4096x2304"):
        examine({"video": large, "audio": None, "offered": []}, "what it sends")
