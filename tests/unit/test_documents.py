"""The documents: links, paths and commands that they name exist, and none of the code's commands is missing."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
PAGES += [page for page in sorted(ROOT.glob("tests/**/README.md")) if "node_modules" not in page.parts]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
PLAYER_COMMANDS = {path.stem for path in (ROOT / "player" / "commands").glob("*.py")}
ADMIN_COMMANDS = {path.stem for path in (ROOT / "tollcast_admin" / "commands").glob("[a-z]*.py")}
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def commands(text: str, program: str) -> set[str]:
    """Return the first words behind a program, from the shell blocks of a text and from its quotations."""
    shell = "".join(re.findall(r"^ *```sh$.*?^ *```$", text, flags=re.DOTALL | re.MULTILINE))
    quoted = re.findall(rf"`{program} ([a-z]+)", text)
    return {*re.findall(rf"^ *{program} ([a-z]+)", shell, flags=re.MULTILINE), *quoted}


def prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_links_and_anchors_hold(page: Path):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" not in link:
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@each_page
def test_what_a_page_names_exists(page: Path):
    text = page.read_text()
    for path in re.findall(
        r"`((?:chalicelib|gateway|worker|player|tollcast_admin|infra|docs|tests|bench)/[\w./-]*)`", text
    ):
        assert (ROOT / path).exists(), path
    assert commands(text, "make") <= TARGETS and commands(text, "player") <= PLAYER_COMMANDS
    assert commands(text, "tollcast-admin") <= ADMIN_COMMANDS
    for module in re.findall(r"python -m ((?:bench|gateway|infra|player|tests|worker)[\w.]*)", text):
        assert importlib.util.find_spec(module), module
    tests = "\n".join(str(path) + path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert re.search(rf"\b{name}(\.py|\()", tests), name


def test_each_page_says_first_for_whom_it_is_and_which_question_it_answers():
    for page in sorted(ROOT.glob("docs/*.md")):
        opening = page.read_text().split("\n\n")[1]
        assert page.name == "roles.md" or (opening.startswith("For ") and "?" in opening), page.name


def test_every_command_is_explained():
    explained = OPERATIONS + (ROOT / "tests" / "README.md").read_text()
    assert {target for target in TARGETS if f"`make {target}" not in explained} == {"help"}
    stage = [*ROOT.glob("infra/*.py"), *ROOT.glob("infra/prod/*.py"), *ROOT.glob("infra/deploy/*.py")]
    modules = {path.relative_to(ROOT) for path in stage if '"__main__"' in path.read_text()}
    named = {str(path.with_suffix("")).replace("/", ".") for path in modules}
    # `make package` is the command for people.
    assert {module for module in named if f"`python -m {module}" not in explained} <= {"infra.deploy.package"}


def test_every_command_of_operators_is_explained():
    explained = (ROOT / "docs" / "admin.md").read_text()
    assert commands(explained, "tollcast-admin") == ADMIN_COMMANDS
