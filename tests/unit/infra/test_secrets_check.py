from pathlib import Path

import pytest

from infra.dev.secrets_check import ALLOWED, main

# In parts, so that this file does not look like one with secrets.
SECRETS = {
    "a private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    "an AWS access key": 'key = "AKIA' + 'ABCDEFGHIJKLMNOP"',
    "an AWS secret key": "aws_secret_access_key = " + "a1B2/" * 8,
    "a token of GitHub": "ghp_" + "a1B2" * 9,
    "a signed token": ".".join(["eyJhbGciOiJIUzI1", "eyJzdWIiOiJhIn0x", "a" * 43]),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = tmp_path / "settings.py"
    path.write_text(f"first = 1\n{SECRETS[name]}\n")
    assert main([str(path)]) == 1 and f"{path}:2: this looks like {name}" in capsys.readouterr().out


def test_other_lines_and_allowed_ones_pass(tmp_path: Path) -> None:
    path = tmp_path / "settings.py"
    path.write_text(f"{SECRETS['an AWS access key']}  # {ALLOWED}\ntoken = load_token()\n")
    assert main([str(path)]) == 0
