"""Paths of `file` sources, inside the media directory.

Rejected are paths that leave the directory, control characters, and invisible formatting characters: with these, two
names look alike, or a name reads in another order than it is stored. Allowed are the joiners ZWJ and ZWNJ, which
Persian and emoji need, and the tags after U+1F3F4, which make the flags of regions.
"""

import re

PATH_CHARS_MAX = PATH_BYTES_MAX = 1_000
# Linux limits names of files and directories to this.
PART_BYTES_MAX = 255
# C0, DEL and C1; soft hyphen, marks, embeddings, overrides and isolates of direction; line and paragraph separators;
# invisible operators; byte order mark, surrogates, annotations. Last, literal ones: shorthand, music, tags.
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f"
_PART = rf"(?:{_FLAG}|[^./{_UNSEEN}])(?:{_FLAG}|[^/{_UNSEEN}])*"
MEDIA_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
MEDIA_PATH_WORDS = (
    "is not a path in the media directory; allowed: letters, digits, spaces and signs of any script, with / between"
    " parts; no part is empty or begins with a dot; control characters and invisible formatting characters, such as"
    " right-to-left overrides, are not allowed"
)


def length_fault(path: str) -> str | None:
    """Return which part of a path is too long, in words that say what is allowed. Bytes count, not letters."""
    for part in path.split("/"):
        if (size := len(part.encode())) > PART_BYTES_MAX:
            return f"has a part of {size} bytes, {part[:20]!r}…; allowed: {PART_BYTES_MAX} bytes"
    if (size := len(path.encode())) > PATH_BYTES_MAX:
        return f"has {size} bytes; allowed: {PATH_BYTES_MAX}"
    return None
