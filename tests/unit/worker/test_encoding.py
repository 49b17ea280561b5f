"""Which pictures a run counts as repeated."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from worker.transcoding.encoding import EncodingRun
from worker.transcoding.plan import EncodedRendition, TranscodePlan, Work
from worker.transcoding.repairs import RunRepairs

TINY = EncodedRendition(name="tiny", width=64, height=36, video_bps=100_000, audio_bps=32_000)


@pytest.mark.parametrize(
    ("fields", "interval_us", "repeated"),
    [
        # A whole picture of an interlaced source lasts as long as its two fields would.
        (True, 40_000, 0),
        (True, 20_000, 0),
        (True, 80_000, 2 * 9),
        (False, 20_000, 0),
        (False, 40_000, 9),
    ],
)
def test_a_picture_is_repeated_where_it_lasts_longer_than_it_should(
    tmp_path: Path, fields: bool, interval_us: int, repeated: int
) -> None:
    (tmp_path / "tiny").mkdir()
    plan = TranscodePlan(
        work=Work.ENCODE,
        renditions=[TINY],
        directory=tmp_path,
        name="1-1",
        segment_s=1,
        cut_s=0.75,
        offset_s=0.0,
        rate=Fraction(50),
        fields=fields,
    )
    repairs = RunRepairs()
    run = EncodingRun(plan, repairs)
    for number in range(10):
        run._add_picture(interval_us * number, [av.VideoFrame(64, 36, "yuv420p")])
        run.advance(0.0)
    assert repairs.pictures_repeated == repeated
    run.close()
