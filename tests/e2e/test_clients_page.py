"""The walk through the API in docs/clients.md, run as it is there."""

import os
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import LEASE_MS, STREAM_ID, Platform

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text()


def blocks(heading: str) -> list[str]:
    """Return the code blocks below a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```[a-z]*\n(.*?)```", section, flags=re.DOTALL)


def test_the_walk_through_the_api_prints_what_the_page_says(platform: Platform) -> None:
    script, printed = blocks("The API in one minute")
    # The suite's stream sells shorter leases than the one that a reader has.
    platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": 10_000})
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env={"PATH": os.environ["PATH"], "B": platform.stack.url},
            capture_output=True,
            text=True,
            timeout=90,
        )
    finally:
        platform.operator("PATCH", f"/streams/{STREAM_ID}", json={"lease_ms": LEASE_MS})
    assert (done.stdout, done.stderr) == (printed, "")
