from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from worker.media.messages import VIDEO, PacketMessage
from worker.transcoding.copying_run import CopyingRun
from worker.transcoding.plan import EncodedRendition, TranscodePlan, Work
from worker.transcoding.repairs import RunRepairs

PLAN = {"work": Work.COPY, "directory": Path(), "name": "r", "segment_s": 2, "cut_s": 2, "offset_s": 0}


@pytest.mark.parametrize(
    ("every_ms", "begins_ms", "first_ms"),
    # Keyframes alone, and one a second; a keyframe is decoded a little before its segment begins.
    [
        *((20, None, 0), (20, 2_000, 2_000), (20, 2_009, 2_000), (20, 2_011, 2_020)),
        *((1_000, 0, 0), (1_000, 2_000, 2_000), (1_000, 2_080, 2_000), (1_000, 2_200, 3_000)),
    ],
)
def test_a_run_that_replaces_another_begins_at_the_keyframe_where_that_one_ended(
    every_ms: int, begins_ms: int | None, first_ms: int
) -> None:
    plan = TranscodePlan(
        **PLAN,
        renditions=[EncodedRendition(name="source")],
        rate=Fraction(50),
        begins_us=None if begins_ms is None else begins_ms * 1_000,
    )
    run: Any = CopyingRun(plan, RunRepairs())
    made: list[bytes] = []
    run._output, run._mux = object(), lambda stream, data, *_: made.append(data)
    for at_ms in range(0, 4_000, 20):
        is_keyframe = at_ms % every_ms == 0
        run.packet(PacketMessage(VIDEO, None, at_ms * 1_000, 0, f"{at_ms}".encode(), is_keyframe=is_keyframe), 0)
    assert made[0] == f"{first_ms}".encode()
