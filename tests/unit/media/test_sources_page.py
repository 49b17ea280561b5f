"""docs/sources.md agrees with the table of inputs and the worker's counters."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from chalicelib.domain.streams.media_health import IngestIssueCode, Repairs
from tests.media.inputs.table import BY_NAME, INPUTS, SUBJECTS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/sources.md").read_text()
SECTIONS = dict(part.split("\n", 1) for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
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


def test_each_repair_and_each_issue_is_explained():
    expected = {field.name for field in fields(Repairs)} | set(IngestIssueCode)
    tables = " ".join(cell for row in rows(PAGE) for cell in row)
    assert {name for name in expected if f"`{name}`" not in tables} == set()
