"""The README's quick flow, run as it stands there; and that what it names exists."""

import os
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import House

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(heading: str) -> list[str]:
    """The code blocks below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```[a-z]*\n(.*?)```", section, flags=re.DOTALL)


def test_the_quick_flow_prints_what_the_readme_prints(house: House) -> None:
    script, printed = blocks("The API in one minute")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], "B": house.stack.url},
        capture_output=True,
        text=True,
        timeout=90,
    )
    # The suite's stream sells leases of 5 s, the README's of 10.
    assert (done.stdout, done.stderr) == (printed.replace("10000", "5000"), "")


def test_the_commands_and_folders_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for path in re.findall(r"`((?:chalicelib|gateway|worker|player|infra|docs)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path
    for command in re.findall(r"^player (\w+)", README, flags=re.MULTILINE):
        assert (ROOT / "player" / "commands" / f"{command}.py").exists(), command
