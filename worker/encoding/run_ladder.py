"""The ladder of a run: the stream's own, with sizes for the slate where that copies its source."""

from collections.abc import Sequence
from dataclasses import asdict

from chalicelib.domain.streams.ladders import Rendition
from worker.transcoding.plan import EncodedRendition

SLATE = {"width": 1280, "height": 720, "video_bps": 1_000_000, "audio_bps": 96_000}


def run_ladder(renditions: Sequence[Rendition], *, is_copied: bool) -> list[EncodedRendition]:
    """Return the renditions to make. The slate has to be encoded under the name of a rendition that copies."""
    sizes = {} if is_copied else SLATE
    return [EncodedRendition(**({"name": each.name} | sizes if each.copied else asdict(each))) for each in renditions]
