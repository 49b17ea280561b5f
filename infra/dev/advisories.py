"""Look up known vulnerabilities of the pinned packages: `python -m infra.dev.advisories`, or `make advisories`.

pip-audit looks up both locks of Python packages, npm looks up admin/. Status 0: all packages were looked up and have no
advisory; 1: a package has an advisory; 3: not all packages could be looked up. The exit statuses of the two tools do
not distinguish these cases, so their reports are read.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT

LOCKS = (ROOT / "requirements.lock", ROOT / "tests" / "requirements.lock")
DASHBOARD = ROOT / "admin"
FOUND, NOT_LOOKED_UP = 1, 3
# For one request, and for a whole tool.
ANSWER_S_MAX = 15
TOOL_S_MAX = 300.0
REASON_CHARS_MAX = 400
LISTED_MAX = 5

Report = dict[str, Any]


@dataclass
class Findings:
    """The result of one tool. `missed` lists what could not be looked up, with the reason."""

    looked_up: int = 0
    advisories: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def read_pip_audit(report: Report) -> Findings:
    """Return the findings in pip-audit's report."""
    findings = Findings()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            findings.missed.append(package["skip_reason"])
            continue
        findings.looked_up += 1
        for each in package["vulns"]:
            fixed = ", ".join(each["fix_versions"]) or "no version"
            findings.advisories.append(f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}")
    return findings


def read_npm(report: Report) -> Findings:
    """Return the findings in npm's report. A report of another form is that of a failure."""
    if "auditReportVersion" not in report:
        return Findings(missed=[str(report.get("message") or report)[:REASON_CHARS_MAX]])
    advisories = [f"{name}: {each['severity']}, in {each['range']}" for name, each in report["vulnerabilities"].items()]
    return Findings(report["metadata"]["dependencies"]["total"], advisories)


def run(command: list[str], directory: Path, read: Callable[[Report], Findings]) -> Findings:
    """Run a tool and return its findings. Output that is not a report counts as missed."""
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
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        return Findings(missed=[lines[-1][:REASON_CHARS_MAX]])


def summary(name: str, findings: Findings) -> list[str]:
    """Return the findings as lines of text."""
    lines = [f"{name}: {findings.looked_up} packages looked up, {len(findings.advisories)} advisories"]
    lines += [f"  {each}" for each in findings.advisories]
    if findings.missed:
        lines.append(f"  NOT LOOKED UP: {len(findings.missed)}")
        lines += [f"    {each}" for each in findings.missed[:LISTED_MAX]]
        if len(findings.missed) > LISTED_MAX:
            lines.append(f"    and {len(findings.missed) - LISTED_MAX} more")
    return lines


def status_of(all_findings: list[Findings]) -> int:
    """Return the exit status. An advisory takes precedence over a failed look-up."""
    if any(findings.advisories for findings in all_findings):
        return FOUND
    if any(findings.missed or not findings.looked_up for findings in all_findings):
        return NOT_LOOKED_UP
    return 0


def main() -> int:
    """Run both tools. Return the exit status."""
    pip_audit = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip"]
    pip_audit += [argument for lock in LOCKS for argument in ("--requirement", str(lock))]
    pip_audit += ["--progress-spinner", "off", "--timeout", str(ANSWER_S_MAX), "--format", "json"]
    npm = [str(Path(sys.executable).with_name("npm")), "audit", "--json", "--package-lock-only", "--fetch-retries=1"]
    npm += [f"--fetch-timeout={ANSWER_S_MAX * 1000}"]
    found = {
        " and ".join(str(lock.relative_to(ROOT)) for lock in LOCKS): run(pip_audit, ROOT, read_pip_audit),
        DASHBOARD.name: run(npm, DASHBOARD, read_npm),
    }
    for name, findings in found.items():
        print("\n".join(summary(name, findings)), flush=True)
    status = status_of(list(found.values()))
    if status == NOT_LOOKED_UP:
        print("The check is NOT complete: an advisory service did not answer.")
    return status


if __name__ == "__main__":
    sys.exit(main())
