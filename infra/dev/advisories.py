"""Advisories on what is pinned: `python -m infra.dev.advisories`, or `make audit`.

pip-audit asks about requirements.lock, npm about tests/browser. Status 0: all of it was looked up and nothing is known;
1: something is known; 3: not all could be looked up. Both tools let what they could not look up pass, or say so by the
status that an advisory has, so their reports are read here.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT

LOCK = ROOT / "requirements.lock"
BROWSER = ROOT / "tests" / "browser"
FOUND, NOT_LOOKED_UP = 1, 3
# For a question, and for all of a tool's.
ANSWER_S_MAX = 15
TOOL_S_MAX = 300.0
SAID_CHARS_MAX = 400
NAMED_MAX = 5

Report = dict[str, Any]


@dataclass
class Findings:
    """What came of one tool. `missed` says what could not be looked up, and why."""

    looked_up: int = 0
    advisories: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def of_pip(report: Report) -> Findings:
    """The findings in pip-audit's report."""
    findings = Findings()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            findings.missed.append(package["skip_reason"])
            continue
        findings.looked_up += 1
        for each in package["vulns"]:
            mended = ", ".join(each["fix_versions"]) or "no version"
            findings.advisories.append(f"{package['name']} {package['version']}: {each['id']}, mended in {mended}")
    return findings


def of_npm(report: Report) -> Findings:
    """The findings in npm's report; one of another form is that of a failure."""
    if "auditReportVersion" not in report:
        return Findings(missed=[str(report.get("message") or report)[:SAID_CHARS_MAX]])
    advisories = [f"{name}: {each['severity']}, in {each['range']}" for name, each in report["vulnerabilities"].items()]
    return Findings(report["metadata"]["dependencies"]["total"], advisories)


def run(command: list[str], directory: Path, read: Callable[[Report], Findings]) -> Findings:
    """A tool's findings. Its status says too little; a report that is none tells that it did not get so far."""
    try:
        done = subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TOOL_S_MAX
        )
    except subprocess.TimeoutExpired:
        return Findings(missed=[f"no answer within {TOOL_S_MAX:.0f} s"])
    except OSError as error:
        return Findings(missed=[f"{command[0]} does not run: {error.strerror}"])
    try:
        return read(json.loads(done.stdout))
    except (ValueError, LookupError, TypeError):
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        return Findings(missed=[said[-1][:SAID_CHARS_MAX]])


def told(what: str, findings: Findings) -> list[str]:
    """The findings in words."""
    lines = [f"{what}: {findings.looked_up} packages looked up, {len(findings.advisories)} advisories"]
    lines += [f"  {each}" for each in findings.advisories]
    if findings.missed:
        lines.append(f"  NOT LOOKED UP, so nothing is known of it: {len(findings.missed)}")
        lines += [f"    {each}" for each in findings.missed[:NAMED_MAX]]
        if len(findings.missed) > NAMED_MAX:
            lines.append(f"    and {len(findings.missed) - NAMED_MAX} more")
    return lines


def status_of(all_findings: list[Findings]) -> int:
    """The status of the process; an advisory counts before what is not known."""
    if any(findings.advisories for findings in all_findings):
        return FOUND
    if any(findings.missed or not findings.looked_up for findings in all_findings):
        return NOT_LOOKED_UP
    return 0


def main() -> int:
    """Ask both services."""
    pip_audit = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--no-deps", "--disable-pip"]
    pip_audit += ["--progress-spinner", "off", "--timeout", str(ANSWER_S_MAX), "--format", "json"]
    npm = ["npm", "audit", "--json", "--package-lock-only", "--fetch-retries=1"]
    npm += [f"--fetch-timeout={ANSWER_S_MAX * 1000}"]
    found = {LOCK.name: run(pip_audit, ROOT, of_pip), str(BROWSER.relative_to(ROOT)): run(npm, BROWSER, of_npm)}
    for what, findings in found.items():
        print("\n".join(told(what, findings)), flush=True)
    status = status_of(list(found.values()))
    if status == NOT_LOOKED_UP:
        print("The audit is NOT done: an advisory service could not be asked.")
    return status


if __name__ == "__main__":
    sys.exit(main())
