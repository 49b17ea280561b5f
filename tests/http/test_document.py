"""Every operation, in every role, matches the served OpenAPI document. `make fuzz` tests more of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.domain.accounts.users import Role
from infra.local.layout import ROOT
from tests.http.conftest import PASSWORD, Api

REF = re.compile(r'"\$ref": "([^"]*)"')
SEED = 1
EXAMPLES = 3
# Some ten seconds of work, which take as many times longer as others share the machine.
RUN_S_MAX = 400


def run(api: Api, *arguments: str) -> subprocess.CompletedProcess[str]:
    operator = api.user(Role.ADMIN)
    command = [sys.executable, "-m", "tests.schema", "--url", str(api.http.base_url).rstrip("/"), "--seed", str(SEED)]
    command += ["--operator", f"{operator.email}:{PASSWORD}", "--stream", api.live_stream(), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=RUN_S_MAX)


@pytest.mark.timeout(RUN_S_MAX + 60)
def test_every_operation_answers_as_documented(api: Api) -> None:
    done = run(api, "--examples", str(EXAMPLES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_reference_of_the_document_leads_to_a_schema(api: Api) -> None:
    document = api.http.get("/openapi.json").json()
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    references = set(REF.findall(json.dumps(document)))
    assert references <= schemas, sorted(references - schemas)
    assert "#/components/schemas/EndReason" in references, "of a query parameter too"


def test_what_a_document_does_not_name_is_found(api: Api, tmp_path: Path) -> None:
    other = api.http.get("/openapi.json").json()
    wallet, cap = other["paths"]["/me/wallet"]["get"], other["paths"]["/me/wallet/cap"]["put"]
    del wallet["responses"]["401"]
    del wallet["responses"]["200"]["headers"]["Cache-Control"]
    answer = other["components"]["schemas"]["WalletAnswer"]
    del answer["properties"]["version"]
    answer["required"].remove("version")
    cap["responses"]["401"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    wallet["x-roles"] = ["admin"]
    (tmp_path / "other.json").write_text(json.dumps(other))
    done = run(api, "--examples", "1", "--document", str(tmp_path / "other.json"), "--only", "/me/wallet")
    assert done.returncode == 1, done.stdout + done.stderr
    for found in (
        "Undocumented status code (401)",
        "Undocumented headers (200): cache-control",
        "Response violates schema (200)",
        "Undocumented Content-Type (401)",
        "Answered 200 to viewer instead of 403",
    ):
        assert f"FAILED: {found}" in done.stdout, done.stdout
