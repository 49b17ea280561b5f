import re
import subprocess
import sys

import yaml

from infra.local.layout import ROOT


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)


def test_bare_make_lists_every_command_with_a_line():
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    listed = dict(re.findall(r"^  make (\w+) +(\S.*)$", run("make").stdout, re.MULTILINE))
    assert list(listed) == phony and all(len(f"  make {name:<10} {line}") <= 120 for name, line in listed.items())


def test_scripts_parse_and_print_their_usage():
    for name in ("infra/local/setup/install.sh", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111
    assert run("bash", "-n", "infra/local/setup/install.sh").returncode == 0
    assert "make test" in (ROOT / ".ci/run").read_text()
    done = run(sys.executable, "-m", "infra.local.stack", "fly")
    assert (done.returncode, "up [prometheus] [canary]|down|status|logs" in done.stderr) == (2, True)


def test_continuous_integration_runs_what_people_run_and_hooks_need_no_download():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert workflow["jobs"]["test"]["steps"][-1] == {"run": ".ci/run"}
    [local] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert (local["repo"], {hook["language"] for hook in local["hooks"]}) == ("local", {"system"})
