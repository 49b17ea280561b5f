"""The shape of the code is a rule too, and these tests can fail: arrows are turned round and must be noticed."""

import ast
import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
from grimp import build_graph
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chalicelib", "worker", "player", "tollcast_admin", "canary", "gateway", "infra")
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
# Chalice, pydantic, jwt and our own; boto3 and botocore alone would add 200 more.
MODULES_AT_IMPORT_MAX = 700


CONTRACTS = {"layers": LayersContract, "forbidden": ForbiddenContract, "acyclic_siblings": AcyclicSiblingsContract}
ARROWS = """
    chalicelib.domain.money.lease -> chalicelib.services.money.billing, chalicelib.domain.money.points -> pydantic,
    chalicelib.domain.money.points -> chalicelib.domain.streams.outages, chalicelib.adapters.clock -> chalice,
    chalicelib.services.money.ledger -> chalicelib.services.access.playback, chalicelib.api.access.playback -> boto3,
    chalicelib.adapters.access.file_denylist -> chalicelib.adapters.access.keyvalue_denylist,
    chalicelib.services.access.access -> chalicelib.adapters.access.jwt_tokens,
    worker -> chalicelib.api.access.playback, chalicelib.services.money.billing -> chalicelib.config,
    chalicelib.adapters.clock -> chalicelib.bootstrap,
    chalicelib.problems -> chalicelib.api.access.playback, gateway -> chalicelib.api.access.playback,
    gateway.ingest.access -> gateway.endpoints.services, gateway.nginx.config -> gateway.ingest.config,
    gateway.usage.aggregator -> gateway.nginx.rendering, player -> chalicelib.domain.money.points,
    player.media.credentials -> player.session.heartbeat, player.statement.statement -> player.statement.csv_format,
    worker.encoding.transcoder -> worker.ingest.sources, worker.ingest.hls.tags -> worker.ingest.egress.proxy,
    tollcast_admin.options.values -> chalicelib.domain.money.points, player -> tollcast_admin.context,
    tollcast_admin.context -> player.session.play, tollcast_admin.display.columns -> tollcast_admin.options.values
"""


@pytest.fixture(scope="module")
def imports():
    return build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def is_kept(imports):
    """Check the contracts as lint-imports does."""
    options = read_configuration(str(ROOT / "pyproject.toml"))
    session, each_options = options["session_options"], options["contracts_options"]
    contracts = [CONTRACTS[each["type"]](each["name"], session, each) for each in each_options]
    return all(contract.check(deepcopy(imports), verbose=False).kept for contract in contracts)


def test_the_import_rule_is_kept(imports):
    assert is_kept(imports), "`make lint` says where it is broken"


@pytest.mark.parametrize("arrow", " ".join(ARROWS.split()).split(", "))
def test_an_arrow_turned_round_is_noticed(imports, arrow):
    importer, imported = arrow.split(" -> ")
    assert importer in imports.modules
    assert imported in imports.modules or not imported.startswith(PACKAGES)
    turned = deepcopy(imports)
    if imported not in turned.modules:
        turned.add_module(imported, is_squashed=True)
    turned.add_import(importer=importer, imported=imported)
    assert not is_kept(turned)


def test_importing_the_app_opens_nothing():
    code = "import app, json, sys; print(json.dumps(sorted(sys.modules)))"
    # No settings, no region, no credentials: an import that did any work would fail.
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, timeout=60, check=True)
    modules = json.loads(done.stdout)
    assert not [name for name in modules if name.split(".")[0] in ("boto3", "botocore", "argon2", "jwt")]
    assert len(modules) < MODULES_AT_IMPORT_MAX


def test_files_and_functions_stay_readable():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            assert text.count("\n") <= FILE_LINES_MAX, path
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef) and node.end_lineno:
                    assert node.end_lineno - node.lineno < FUNCTION_LINES_MAX, f"{path}:{node.lineno} {node.name}"
    assert (ROOT / "app.py").read_text().count("\n") < 80


def test_one_place_reads_the_environment():
    readers = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "chalicelib").rglob("*.py"))
        if re.search(r"os\.environ|getenv", path.read_text())
    ]
    assert readers == ["chalicelib/config.py"]


def test_views_reach_stores_through_services():
    views = sorted((ROOT / "chalicelib/api").rglob("*.py"))
    users = [str(path.relative_to(ROOT)) for path in views if re.search(r"\.stores\b", path.read_text())]
    # The playlists of API Gateway are read from the bucket as nginx reads them, without a service.
    assert users == ["chalicelib/api/access/media.py"]


def test_chance_that_can_be_guessed_only_spreads_things():
    # bandit ignores `random`, so its users are listed here. None of them makes an id, a key or a token.
    users = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^(import|from) random\b", path.read_text(), re.MULTILINE)
    }
    retries = {"chalicelib/services/money/billing.py", "player/session/heartbeat.py", "worker/ingest/backoff.py"}
    retries |= {"chalicelib/adapters/access/keyvalue_store.py", "player/session/waiting.py"}
    rows = {"chalicelib/services/access/playback.py", "chalicelib/services/money/reconciliation.py"}
    rows |= {f"chalicelib/adapters/money/dynamodb_{name}.py" for name in ("reconciliation", "totals")}
    assert users == retries | rows


def test_what_lambda_gets_is_pinned_as_here():
    lock = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().split() if "==" in line)
    pinned = {name.lower().replace("_", "-"): version for name, version in lock.items()}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, version = line.split("==")
            assert pinned[name.lower().replace("_", "-")] == version
