"""Files of the media directory, found by the name that an operator typed.

The same letters can be stored in two ways: composed (NFC, as most people type them) and decomposed (NFD, as files from
a Mac are named). Linux takes them for two names, so a missing name is looked up by its letters.
"""

import os
from itertools import islice
from pathlib import Path
from unicodedata import normalize

# The entries of a directory that are compared. A file among more is found by the bytes of its name only.
ENTRIES_MAX = 20_000


def find(name: str, root: Path) -> Path | None:
    """Return where this name leads to below `root`, links followed; None if that is nothing or outside.

    A link that leads outside gets the same answer as a broken one, so no answer shows what exists outside.
    """
    return _inside(root / name, root) or _by_letters(name, root)


def _inside(path: Path, root: Path) -> Path | None:
    try:
        resolved = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    return resolved if resolved.is_relative_to(root) else None


def _by_letters(name: str, root: Path) -> Path | None:
    found: Path | None = root
    for part in Path(name).parts:
        # Each directory is checked to be inside the media directory before it is read.
        found = found and (_inside(found / part, root) or _entry(found, part, root))
    return found


def _entry(directory: Path, part: str, root: Path) -> Path | None:
    letters = normalize("NFC", part)
    try:
        with os.scandir(directory) as entries:
            names = (entry.name for entry in islice(entries, ENTRIES_MAX))
            same = sorted(each for each in names if normalize("NFC", each) == letters)
    except OSError:
        return None
    return _inside(directory / same[0], root) if same else None
