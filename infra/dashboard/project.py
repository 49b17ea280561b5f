"""The files of the dashboard: what it is built from, as hashes, and what is built."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.layout import ROOT


@dataclass(frozen=True)
class Project:
    """The dashboard of a source tree."""

    root: Path = ROOT

    @property
    def admin(self) -> Path:
        """The directory of its sources."""
        return self.root / "admin"

    @property
    def dist(self) -> Path:
        """The directory of the built files."""
        return self.admin / "dist"

    @property
    def work(self) -> Path:
        """The directory of lock, record and logs of builds. `npm ci` removes node_modules, so they cannot be there."""
        return self.admin / ".build"

    @property
    def packages(self) -> Path:
        """The directory of the installed packages."""
        return self.admin / "node_modules"

    @property
    def document(self) -> Path:
        """The API's document, from which the types are made."""
        return self.admin / "openapi.json"

    def quick_hash(self) -> str:
        """Return a hash of all files that a build reads, without making the API's document (20 ms instead of 900)."""
        return self._hash_of([*self._sources(), *self._files(self.root / "chalicelib", ".py")])

    def exact_hash(self) -> str:
        """Return a hash of the sources and of the API's document."""
        return self._hash_of([*self._sources(), self.document])

    def packages_hash(self) -> str:
        """Return a hash of the locked packages."""
        return self._hash_of([self.admin / "package-lock.json"])

    def recorded(self) -> dict[str, str]:
        """Return the hashes of the last build. Empty if there was none, or if its files do not exist."""
        try:
            found = json.loads(self._record.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return dict(found) if (self.dist / "index.html").is_file() else {}

    def record(self, **hashes: str) -> None:
        """Record the hashes of a build."""
        self._record.write_text(json.dumps(hashes))

    def is_current(self) -> bool:
        """Return whether the last build is of the present files."""
        return self.recorded().get("quick") == self.quick_hash()

    @property
    def _record(self) -> Path:
        return self.work / "record.json"

    def _sources(self) -> Iterator[Path]:
        return self._files(self.admin)

    def _files(self, directory: Path, suffix: str = "") -> Iterator[Path]:
        made = {self.work, self.dist, self.packages, self.document, self.admin / "src" / "api" / "schema.d.ts"}
        for path in sorted(directory.iterdir()):
            if path in made or path.name == "__pycache__":
                continue
            if path.is_dir():
                yield from self._files(path, suffix)
            elif path.name.endswith(suffix):
                yield path

    def _hash_of(self, paths: Iterable[Path]) -> str:
        found = hashlib.sha256()
        for path in paths:
            content = path.read_bytes()
            found.update(f"{path.relative_to(self.root)}\n{len(content)}\n".encode() + content)
        return found.hexdigest()
