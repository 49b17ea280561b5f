"""Each known bug can be planted: its text is in the code once. `make mutants` plants them."""

import pytest

from infra.local.layout import ROOT
from tests.faults.commands.mutants import MUTANTS


@pytest.mark.parametrize("name", MUTANTS)
def test_each_bug_can_be_planted(name: str) -> None:
    mutant = MUTANTS[name]
    for file, old, new in ((mutant.file, mutant.old, mutant.new), *mutant.also):
        assert (ROOT / file).read_text().count(old) == 1, f"{file}: {old!r}"
        assert old != new
