"""Names of files that an operator may type in, and those that could leave the media directory or deceive."""

from unicodedata import normalize

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.api.models.forms import MediaPath
from chalicelib.domain.streams.media_paths import PART_BYTES_MAX, PATH_BYTES_MAX

MODEL = TypeAdapter(MediaPath)
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
FINE = [
    *("Amélie.mp4", normalize("NFD", "Amélie.mp4"), "Film (2004).mp4", "Rock'n'Roll.mp4", 'She said "no".mp4'),
    *("A & B.mp4", "[Sub] Show - 01.mp4", "a, b+c.mp4", "100% {x} #1; a=b!~$^@`|<>?*.mp4", "-i.mp4"),
    *("Part 1: The end\\start.mp4", " spaces at both ends ", "shows/Série 1/épisode 01.mp4", "映画/夜.mp4"),
    *("Фильм.mp4", "فيلم.mp4", "می\u200cخواهم.mp4", "चलचित्र.mp4", "👩\u200d👩\u200d👧 ❤️ 🏳️\u200d🌈.mp4"),
    *(f"{ENGLAND} v 🏴 {ENGLAND}.mp4", "a" * PART_BYTES_MAX, "/".join(["é" * 100] * 4)),
]
REFUSED = [
    *("", "/etc/passwd", "../secret.mp4", "a/../b.mp4", "a/..", "./a.mp4", ".", ".hidden", "a/.hidden", "a//b.mp4"),
    *("a/", "/", "http://127.0.0.1/a.mp4", "a\0b", "a\nb", "a\tb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2066b"),
    *("photo\u202egpj.mp4", "a\u200bb", "a\u200fb", "a\u00adb", "\ufeffa.mp4", "a\ud800b"),
    # Tags hide words where they stand behind no flag.
    *("a\U000e0067\U000e007f", f"{ENGLAND}\U000e0067"),
]


@pytest.mark.parametrize("path", FINE, ids=ascii)
def test_names_as_people_have_them_are_taken_as_they_are(path):
    assert MODEL.validate_python(path) == path


@pytest.mark.parametrize("path", REFUSED, ids=ascii)
def test_what_could_leave_the_directory_or_deceive_is_refused(path):
    with pytest.raises(ValidationError):
        MODEL.validate_python(path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a\u202eb", r"signs of any script.*begins with a dot.*right-to-left overrides"),
        # Lengths are counted in bytes.
        ("a" * (PART_BYTES_MAX + 1), "has a part of 256 bytes, 'aaaaaaaaaaaaaaaaaaaa'…; allowed: 255 bytes"),
        ("é" * 128, "has a part of 256 bytes"),
        ("/".join(["é" * 120] * 5), f"has 1204 bytes; allowed: {PATH_BYTES_MAX}"),
    ],
)
def test_a_refusal_says_what_is_allowed(path, said):
    with pytest.raises(ValidationError, match=said):
        MODEL.validate_python(path)
