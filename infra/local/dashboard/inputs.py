"""What the dashboard is built from, as hashes. A file with the hashes of the last build says whether one is needed."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.local.layout import ROOT

ADMIN = ROOT / "admin"
# The lock, the record and the logs of builds. `npm ci` removes node_modules, so they cannot be there.
WORK = ADMIN / ".build"
DIST = ADMIN / "dist"
DOCUMENT = ADMIN / "openapi.json"
PACKAGES = ADMIN / "node_modules"
RECORD = WORK / "record.json"
_MADE = {WORK, DIST, PACKAGES, DOCUMENT, ADMIN / "src" / "api" / "schema.d.ts"}
# Any of these may change the API's document.
_API = ROOT / "chalicelib"


def sources() -> Iterator[Path]:
    """Yield the files that the dashboard's authors write."""
    yield from _files(ADMIN)


def quick_hash() -> str:
    """Return a hash of all files that a build reads, without making the API's document (20 ms instead of 900)."""
    return _hash_of([*sources(), *_files(_API, ".py")])


def exact_hash() -> str:
    """Return a hash of the sources and of the API's document."""
    return _hash_of([*sources(), DOCUMENT])


def packages_hash() -> str:
    """Return a hash of the locked packages."""
    return _hash_of([ADMIN / "package-lock.json"])


def recorded() -> dict[str, str]:
    """Return the hashes of the last build. Empty if there was none, or if its files are gone."""
    try:
        record = json.loads(RECORD.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return record if (DIST / "index.html").is_file() else {}


def is_current() -> bool:
    """Return whether the last build is of the present files."""
    return recorded().get("quick") == quick_hash()


def record(**hashes: str) -> None:
    """Record the hashes of a build."""
    RECORD.write_text(json.dumps(hashes))


def _files(directory: Path, suffix: str = "") -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path in _MADE or path.name == "__pycache__":
            continue
        if path.is_dir():
            yield from _files(path, suffix)
        elif path.name.endswith(suffix):
            yield path


def _hash_of(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(f"{path.relative_to(ROOT)}\n{len(content)}\n".encode() + content)
    return found.hexdigest()
