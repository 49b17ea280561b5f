"""Find secrets in files before they are committed: `python -m infra.dev.secrets_check FILE …`, as pre-commit runs it.

Status 1: a line looks like a secret. A line that only looks like one has the comment `not a secret`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ALLOWED = "not a secret"
PATTERNS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    "an AWS secret key": re.compile(r"(?i)aws_secret_access_key\W{1,5}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{22,}\b"),
    "a service key": re.compile(r"\btck_[a-z2-7]{16}_[a-z2-7]{52}\b"),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
}


def find_secrets(path: Path) -> Iterator[str]:
    """Yield a line of text for each line of the file that looks like a secret."""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if ALLOWED not in line:
            for name, pattern in PATTERNS.items():
                if pattern.search(line):
                    yield f"{path}:{number}: this looks like {name}"


def main(arguments: list[str]) -> int:
    """Check the files. Return 1 if one of them seems to contain a secret."""
    found = [text for argument in arguments for text in find_secrets(Path(argument))]
    print("\n".join(found), end="\n" if found else "")
    if found:
        print(f"Remove it. If it is harmless, add the comment `{ALLOWED}` to its line.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
