"""The shape of the code is a rule too, and these tests can fail: arrows are turned round and must be noticed."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chalicelib", "worker", "player", "gateway", "infra")
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
# Chalice, pydantic, jwt and our own; boto3 and botocore alone would add 200 more.
MODULES_AT_IMPORT_MAX = 700


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(
        command, cwd=directory, env={"PYTHONPATH": str(directory)}, capture_output=True, text=True, timeout=120
    )


def test_the_import_rule_is_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "arrow"),
    [
        ("chalicelib/domain/money/lease.py", "import chalicelib.services.money.billing"),
        ("chalicelib/domain/money/points.py", "import pydantic"),
        ("chalicelib/domain/money/points.py", "import chalicelib.domain.streams.outages"),
        ("chalicelib/services/money/ledger.py", "import chalicelib.services.access.playback"),
        ("chalicelib/adapters/access/file_denylist.py", "import chalicelib.adapters.access.keyvalue_denylist"),
        ("chalicelib/services/access/access.py", "import chalicelib.adapters.access.jwt_tokens"),
        ("chalicelib/services/money/billing.py", "import chalicelib.config"),
        ("chalicelib/adapters/clock.py", "import chalicelib.bootstrap"),
        ("chalicelib/adapters/clock.py", "import chalice"),
        ("chalicelib/api/playback.py", "import boto3"),
        ("chalicelib/problems.py", "import chalicelib.api.playback"),
        ("worker/__init__.py", "import chalicelib.api.playback"),
        ("gateway/__init__.py", "import chalicelib.api.playback"),
        ("gateway/ingest/access.py", "import gateway.endpoints.services"),
        ("gateway/nginx/config.py", "import gateway.ingest.config"),
        ("gateway/usage/aggregator.py", "import gateway.nginx.rendering"),
        ("player/__init__.py", "import chalicelib.domain.money.points"),
        ("player/media/credentials.py", "import player.session.heartbeat"),
        ("player/statement/statement.py", "import player.statement.csv_format"),
        ("worker/encoding/transcoder.py", "import worker.ingest.sources"),
        ("worker/ingest/hls/tags.py", "import worker.ingest.egress.proxy"),
    ],
)
def test_an_arrow_turned_round_is_noticed(tmp_path: Path, module: str, arrow: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert lint_imports(tmp_path).returncode == 0
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{arrow}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout


def test_importing_the_app_opens_nothing() -> None:
    code = "import app, json, sys; print(json.dumps(sorted(sys.modules)))"
    # No settings, no region, no credentials: an import that did any work would fail.
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, timeout=60, check=True
    )
    modules = json.loads(done.stdout)
    assert not [name for name in modules if name.split(".")[0] in ("boto3", "botocore", "argon2", "jwt")]
    assert len(modules) < MODULES_AT_IMPORT_MAX


def test_files_and_functions_stay_readable() -> None:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            assert text.count("\n") <= FILE_LINES_MAX, path
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef) and node.end_lineno:
                    assert node.end_lineno - node.lineno < FUNCTION_LINES_MAX, f"{path}:{node.lineno} {node.name}"
    assert (ROOT / "app.py").read_text().count("\n") < 80


def test_one_place_reads_the_environment() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "chalicelib").rglob("*.py"))
        if re.search(r"os\.environ|getenv", path.read_text())
    ]
    assert readers == ["chalicelib/config.py"]


def test_views_reach_stores_through_services() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "chalicelib/api").rglob("*.py")
        if re.search(r"\.stores\b", path.read_text())
    }
    # The playlists of API Gateway are read from the bucket as nginx reads them, without a service.
    assert users == {"chalicelib/api/media.py"}


def test_chance_that_can_be_guessed_only_spreads_things() -> None:
    # bandit ignores `random`, so its users are listed here. None of them makes an id, a key or a token.
    users = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^(import|from) random\b", path.read_text(), re.MULTILINE)
    }
    retries = {"chalicelib/services/money/billing.py", "player/session/heartbeat.py", "worker/ingest/backoff.py"}
    retries.add("chalicelib/adapters/access/keyvalue_store.py")
    rows = {"chalicelib/services/access/playback.py", "chalicelib/services/money/reconciliation.py"}
    rows.add("chalicelib/adapters/money/dynamodb_reconciliation.py")
    assert users == retries | rows


def test_what_lambda_gets_is_pinned_as_here() -> None:
    lock = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().split() if "==" in line)
    pinned = {name.lower().replace("_", "-"): version for name, version in lock.items()}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, version = line.split("==")
            assert pinned[name.lower().replace("_", "-")] == version
