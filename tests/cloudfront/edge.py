"""CloudFront's function in Node, asked as CloudFront asks it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.vectors.case import Case
from tests.vectors.forged import PLAY_KEYS
from tests.vectors.model import State

FUNCTION = Path(__file__).resolve().parents[2] / "gateway" / "edge" / "viewer_request.js"
RUNNER = Path(__file__).with_name("run_function.mjs")


def answers_of(questions: list[dict[str, Any]], function: Path = FUNCTION) -> list[dict[str, Any]]:
    """Return the function's result for each case: a request to continue with, or a response."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("node")), str(RUNNER), str(function)],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def question(case: Case, state: State) -> dict[str, Any]:
    """The case's request as an event, and what the KeyValueStore says."""
    store = {f"key/{kid}": key for kid, key in PLAY_KEYS.items()}
    if state.denied:
        store[f"session/{case.session_id}"] = f"{state.denied.value} {case.now_ms}"
    if state.stream_denied:
        store[f"stream/{case.stream_id}"] = state.stream_denied.value
    return {"event": event(case), "store": store, "silent": state.silent, "now_ms": case.now_ms}


def event(case: Case) -> dict[str, Any]:
    """A viewer-request event: `uri` is the address without its query, neither decoded nor folded."""
    address, _, query = case.target.partition("?")
    if not address.startswith("/"):
        address = urlsplit(address).path
    headers: dict[str, dict[str, Any]] = {}
    for name, value in case.headers:
        entry = headers.setdefault(name.lower(), {"value": value.strip(), "multiValue": []})
        entry["multiValue"].append({"value": value.strip()})
    for entry in headers.values():
        if len(entry["multiValue"]) == 1:
            del entry["multiValue"]
    request = {
        "method": case.vector.method,
        "uri": address,
        "querystring": {"any": {"value": query}} if query else {},
        "headers": headers,
        "cookies": {"token": {"value": "x"}} if "cookie" in headers else {},
    }
    return {"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {}, "request": request}
