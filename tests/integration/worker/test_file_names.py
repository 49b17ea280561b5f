"""Files with all sorts of names, opened by the real receiver and ffprobe."""

import os
from pathlib import Path
from unicodedata import normalize

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import RuntimeState
from chalicelib.domain.streams.stream import Stream
from tests.integration.worker.harness import Lab
from tests.integration.worker.puller import described
from tests.integration.worker.test_worker_pipeline import make_clip
from worker.encoding.copy_segmentation import FILE_FORMATS, plan_copy
from worker.encoding.source_info import SourceInfo
from worker.ingest.sources import locate, read_source_info
from worker.receiving.request import ReceiveRequest, Transport

NAMES = [
    """She said "no" & Rock'n'Roll, [Sub] a+b (2004).mp4""",
    "100% %05d.mp4",
    "Part 1: what? #2; $x | y\\z.mp4",
    "-i.mp4",
    " spaces at both ends ",
    "映画/夜 👩\u200d👧.mp4",
    "می\u200cخواهم.mp4",
    "é" * 125 + ".mp4",
]
# Typed in one form, on the disk in the other.
TYPED = 'Amélie 100% ["l\'été"] & co/Ångström %d.mp4'
PATTERN = "testsrc2=size=320x180:rate=25:duration=2"


@pytest.fixture
def clip(lab: Lab) -> Path:
    path = lab.media_dir / "clip.mp4"
    make_clip(path, "-f", "lavfi", "-i", PATTERN, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "25")
    return path


def examined(name: str, media_dir: Path) -> SourceInfo:
    path = locate(name, media_dir)
    request = ReceiveRequest(transport=Transport.FILE, url=f"file:{path}", formats=FILE_FORMATS, is_live=False)
    return read_source_info(described(request), name, path)


def test_files_of_any_name_are_examined(lab: Lab, clip: Path) -> None:
    copied = Stream(stream_id="x", title="x", ingest=Ingest(mode=IngestMode.FILE), abr_profile="source")
    for name in NAMES:
        (lab.media_dir / name).parent.mkdir(exist_ok=True)
        os.link(clip, lab.media_dir / name)
        source = examined(name, lab.media_dir)
        assert (source.path, source.video_codec) == ((lab.media_dir / name).resolve(), "h264")
        assert plan_copy(source, copied, os.environ) is not None, name


def test_a_file_plays_whichever_way_its_letters_are_stored(lab: Lab, clip: Path) -> None:
    path = lab.media_dir / normalize("NFD", TYPED)
    path.parent.mkdir()
    os.link(clip, path)
    lab.add_file(normalize("NFC", TYPED))
    lab.pipeline()
    assert lab.wait_for(RuntimeState.LIVE).last_error is None
