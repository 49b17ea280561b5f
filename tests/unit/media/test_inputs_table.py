"""The table of inputs, and that docs/sources.md agrees with it and with the worker's counters."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from chalicelib.domain.streams.issues.ingest_issues import IssueType
from chalicelib.domain.streams.issues.issue_kinds import KINDS
from chalicelib.domain.streams.media_health import Repairs
from tests.media.inputs import recipes
from tests.media.inputs.edits import EDITS
from tests.media.inputs.model import Feed, Serving
from tests.media.inputs.table import BY_NAME, INPUTS, SUBJECTS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/sources.md").read_text()
SECTIONS = dict(part.split("\n", 1) for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SENT_S_LEFT = 2
REFUSED = [item for item in INPUTS if item.expect.refused]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables of a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = [n for n, line in enumerate(lines) if line.startswith("| ---")]
    heads = {n for rule in rules for n in (rule - 1, rule)}
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for n, line in enumerate(lines) if n not in heads]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_group_of_inputs_is_a_section_with_a_table(subject: str):
    assert rows(SECTIONS[subject])


@pytest.mark.parametrize("item", REFUSED, ids=lambda item: item.name)
def test_each_refusal_is_named_with_its_reason(item):
    reasons = [row[0] for row in rows(SECTIONS["What is refused"]) if item.name in names(row[-1])]
    assert len(reasons) == 1
    assert any(word in reasons[0] for word in item.expect.refused)


def test_nothing_is_named_as_refused_that_has_to_play():
    named = {name for row in rows(SECTIONS["What is refused"]) for name in names(row[-1])}
    assert named <= {name for name, item in BY_NAME.items() if item.expect.refused or item.expect.may_refuse}


def test_each_repair_is_explained():
    tables = " ".join(cell for row in rows(PAGE) for cell in row)
    assert {field.name for field in fields(Repairs) if f"`{field.name}`" not in tables} == set()


def test_each_issue_is_explained_with_its_severity():
    page = (ROOT / "docs/ingest-issues.md").read_text()
    explained = [(names(row[0])[0], row[1]) for row in rows(page) if len(row) == 4]
    assert explained == [(issue_type, KINDS[issue_type].severity) for issue_type in IssueType]


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
