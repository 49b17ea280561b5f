import re

import pytest

from tests.media.inputs import recipes
from tests.media.inputs.edits import EDITS
from tests.media.inputs.model import Feed, Serving
from tests.media.inputs.table import BY_NAME, INPUTS, SUBJECTS

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SENT_S_LEFT = 2


def test_there_are_inputs_of_every_subject():
    assert len(INPUTS) >= 64 and len(BY_NAME) == len(INPUTS)
    assert all(len(items) >= 10 for items in SUBJECTS.values())
    assert {item.feed for item in INPUTS} == set(Feed)


@pytest.mark.parametrize("item", INPUTS, ids=lambda item: item.name)
def test_a_row_can_be_made_fed_and_read(item):
    # It is part of the stream's id, with five characters more.
    assert NAME.fullmatch(item.name) and len(item.name) <= 40
    assert 10 <= len(item.about) <= 100 and item.about[0] == item.about[0].upper()
    assert all(line.split()[0] in ("ffmpeg", *EDITS) for line in item.make)
    assert item.serving is Serving.AS_IS or item.feed is Feed.PULL
    if item.feed is Feed.SRT and not item.expect.refused:
        assert item.turn_s * item.turns >= item.watch_s + SENT_S_LEFT


def test_marks_do_not_depend_on_the_size():
    assert not re.search(r"[xywh]=\d\d", recipes.marks())
