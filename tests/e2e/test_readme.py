"""The README's quick flow, run as it stands there; and that what it names exists."""

import os
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import LEASE_MS, STREAM_ID, House

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(heading: str) -> list[str]:
    """The code blocks below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```[a-z]*\n(.*?)```", section, flags=re.DOTALL)


def test_the_quick_flow_prints_what_the_readme_prints(house: House) -> None:
    script, printed = blocks("The API in one minute")
    # The suite's stream sells shorter leases than the one that a reader has.
    house.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": 10_000})
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env={"PATH": os.environ["PATH"], "B": house.stack.url},
            capture_output=True,
            text=True,
            timeout=90,
        )
    finally:
        house.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": LEASE_MS})
    assert (done.stdout, done.stderr) == (printed, "")


def test_the_commands_and_folders_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for path in re.findall(r"`((?:chalicelib|gateway|worker|player|infra|docs)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path
    for command in re.findall(r"^player (\w+)", README, flags=re.MULTILINE):
        assert (ROOT / "player" / "commands" / f"{command}.py").exists(), command
