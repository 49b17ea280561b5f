"""The look-up of advisories, of which a failed one never counts as a pass, and the search for secrets."""

import sys

import pytest

from infra.dev import advisories, secrets_check
from infra.dev.advisories import FOUND, NOT_LOOKED_UP, read_npm, read_pip_audit, run, status_of, summary

CLEAN = {"name": "click", "version": "8.5.1", "vulns": []}
KNOWN = {"name": "h11", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"], "aliases": []}]}
SKIPPED = {"name": "rich", "skip_reason": "Dependency not found on PyPI and could not be audited: rich (15.0.0)"}
REFUSED = {"message": "405 Method Not Allowed - POST https://example.org/advisories", "statusCode": 405}


def npm_report(**vulnerabilities):
    return {"auditReportVersion": 2, "vulnerabilities": vulnerabilities, "metadata": {"dependencies": {"total": 2}}}


def test_a_report_without_a_look_up_never_counts_as_a_pass():
    reports = ([CLEAN], [CLEAN, KNOWN], [CLEAN, SKIPPED], [KNOWN, SKIPPED], [])
    found = [status_of([read_pip_audit({"dependencies": packages})]) for packages in reports]
    assert (found, status_of([read_npm(npm_report())])) == ([0, FOUND, NOT_LOOKED_UP, FOUND, NOT_LOOKED_UP], 0)
    assert status_of([read_npm(npm_report(ws={"severity": "high", "range": "<8"}))]) == FOUND
    assert (read_npm(REFUSED).missed, status_of([read_npm(REFUSED)])) == ([REFUSED["message"]], NOT_LOOKED_UP)
    assert status_of([read_pip_audit({"dependencies": [CLEAN]}), read_npm(REFUSED)]) == NOT_LOOKED_UP, "no pass"


def test_the_summary():
    lines = "\n".join(summary("requirements.lock", read_pip_audit({"dependencies": [CLEAN, KNOWN, *[SKIPPED] * 7]})))
    assert "2 packages looked up, 1 advisories" in lines and "h11 0.1: PYSEC-1, fixed in 0.2" in lines
    assert "NOT LOOKED UP: 7" in lines and "and 2 more" in lines


def test_a_tool_that_fails_hangs_or_is_missing(tmp_path, monkeypatch):
    def tried(*command):
        return run(list(command), tmp_path, read_pip_audit)

    failing = tried(sys.executable, "-c", "import sys; sys.exit('no route to host')")
    assert (failing.missed, tried(sys.executable, "-c", "print('[]')").missed) == (["no route to host"], ["[]"])
    assert "does not run" in tried(str(tmp_path / "no-such-tool")).missed[0]
    monkeypatch.setattr(advisories, "TOOL_S_MAX", 0.2)
    assert tried(sys.executable, "-c", "while True: pass").missed == ["no answer within 0 s"]


# In parts, so that this file does not look like one with secrets.
SECRETS = {
    "a private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    "an AWS access key": 'key = "AKIA' + 'ABCDEFGHIJKLMNOP"',
    "an AWS secret key": "aws_secret_access_key = " + "a1B2/" * 8,
    "a token of GitHub": "ghp_" + "a1B2" * 9,
    "a service key": f"tck_{'a2' * 8}_" + "b3" * 26,
    "a signed token": ".".join(["eyJhbGciOiJIUzI1", "eyJzdWIiOiJhIn0x", "a" * 43]),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_with_its_line(tmp_path, capsys, name):
    path = tmp_path / "settings.py"
    path.write_text(f"first = 1\n{SECRETS[name]}\n")
    assert secrets_check.main([str(path)]) == 1 and f"{path}:2: this looks like {name}" in capsys.readouterr().out


def test_other_lines_and_allowed_ones_pass(tmp_path):
    path = tmp_path / "settings.py"
    path.write_text(f"{SECRETS['an AWS access key']}  # {secrets_check.ALLOWED}\ntoken = load_token()\n")
    assert secrets_check.main([str(path)]) == 0
