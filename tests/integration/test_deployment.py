"""The packed functions, deployed by CloudFormation into the emulator, do the main job through API Gateway."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from chalicelib.adapters.access.secret_keys import SecretKeyStore
from chalicelib.adapters.aws import client
from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.dynamodb import to_row
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.media_keys import media_key
from chalicelib.domain.streams.run_logs import RunLog, encode, run_log_key
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from infra.deploy.package import package
from infra.deploy.stack import deploy
from tests.fixtures.emulator import Emulator

PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n480p/index.m3u8\n"
EVENT = (
    b'{"version": "0", "account": "0", "region": "us-east-1", "detail": {}, "detail-type": "Scheduled Event",'
    b'"source": "aws.events", "time": "2026-01-01T00:00:00Z", "id": "1", "resources": []}'
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def deployed(module_settings: Settings, template: Path) -> dict[str, str]:
    """Return the stack's outputs."""
    client("s3").create_bucket(Bucket=f"{module_settings.media_bucket}-code")
    return deploy(template, module_settings, f"{module_settings.media_bucket}-code")


@pytest.fixture(scope="module")
def api(emulator: Emulator, deployed: dict[str, str]) -> Iterator[httpx.Client]:
    base = f"{emulator.endpoint}/restapis/{deployed['RestAPIId']}/api/_user_request_"
    with httpx.Client(base_url=base, timeout=30) as http:
        yield http


@pytest.fixture(scope="module")
def viewer_token(module_settings: Settings, api: httpx.Client) -> str:
    container = Container(module_settings)
    user = container.accounts.ensure_user("demo@local", "demo", Role.VIEWER)
    container.ledger.credit(
        user_id=user.user_id, millipoints=100_000, payment_id="opening", note="", by_user_id=user.user_id
    )
    login = api.post("/auth/login", json={"email": "demo@local", "password": "demo"})
    assert login.status_code == 200, login.text
    return str(login.json()["access_token"])


@pytest.fixture(scope="module")
def operator(module_settings: Settings, api: httpx.Client) -> dict[str, str]:
    """The headers of a logged-in operator."""
    Container(module_settings).accounts.ensure_user("admin@local", "admin", Role.ADMIN)
    login = api.post("/auth/login", json={"email": "admin@local", "password": "admin"}).json()
    return {"Authorization": f"Bearer {login['access_token']}"}


def live_stream(container: Container) -> None:
    """A stream that a worker has claimed and reports live, and its playlist."""
    stream = container.streams.ensure(Stream(stream_id="stream-1", title="Stream", ingest=Ingest(mode=IngestMode.TEST)))
    container.streams.set_state(stream.stream_id, DesiredState.LIVE)
    now_ms = container.stores.clock.now_ms()
    claim = container.stores.runtimes.claim(stream.stream_id, "worker-1", now_ms, now_ms + 120_000)
    assert claim is not None
    runtime = Runtime(stream_id=stream.stream_id, state=RuntimeState.LIVE, claim=claim, reported_at_ms=now_ms)
    assert container.stores.runtimes.report(claim, runtime)
    container.stores.media.put(media_key(stream.stream_id, "index.m3u8"), PLAYLIST, "application/vnd.apple.mpegurl")


def test_login_start_and_an_authorised_playlist(
    api: httpx.Client, viewer_token: str, module_settings: Settings
) -> None:
    live_stream(Container(module_settings))
    bearer = {"Authorization": f"Bearer {viewer_token}"}
    start = api.post("/playback/start", json={"stream_id": "stream-1"}, headers=bearer)
    assert start.status_code == 201, start.text
    session = start.json()
    assert session["balance_millipoints"] == 90_000
    path = f"/play/{session['session_id']}/index.m3u8"
    play = {"Authorization": f"Bearer {session['play_token']}"}
    playlist = api.get(path, headers=play)
    assert (playlist.status_code, playlist.content) == (200, PLAYLIST), playlist.text
    assert playlist.headers["cache-control"] == "no-store"
    for wrong in ({}, bearer, {"Authorization": "Bearer nonsense"}):
        assert api.get(path, headers=wrong).status_code in (401, 403)
    stopped = api.post("/playback/stop", json={"session_id": session["session_id"]}, headers=bearer)
    assert stopped.json()["end_reason"] == "viewer_stopped"


def test_problems_keep_their_form_through_api_gateway(api: httpx.Client, viewer_token: str) -> None:
    wrong = api.post("/auth/login", json={"email": "demo@local", "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    broken = api.post("/playback/start", content=b"{", headers={"Authorization": f"Bearer {viewer_token}"})
    assert broken.status_code == 400
    assert broken.headers["content-type"] == "application/problem+json"


def test_the_schedules_run_as_deployed(api: httpx.Client, module_settings: Settings) -> None:
    for handler in ("app.settle_streams", "app.reap_sessions", "app.reconcile_sessions"):
        invoke(module_settings, handler)


def test_keys_rotate_as_deployed_and_nobody_is_logged_out(
    api: httpx.Client, viewer_token: str, module_settings: Settings
) -> None:
    store = SecretKeyStore(module_settings.token_secret)
    # Announced, then current: each when the last change is long ago.
    for current in ("k1", "k2"):
        sets, version = store.read()
        store.replace(version, {kind: replace(each, changed_at_ms=0) for kind, each in sets.items()})
        invoke(module_settings, "app.tend_token_keys")
        found = store.read()[0].values()
        assert {(each.current, len(each.keys)) for each in found} == {(current, 2)}
    assert api.get("/me", headers={"Authorization": f"Bearer {viewer_token}"}).status_code == 200


def test_an_operator_is_told_why_a_stream_waits(
    api: httpx.Client, operator: dict[str, str], module_settings: Settings
) -> None:
    srt = {"mode": "listen", "protocol": "srt", "port": 9_000}
    created = api.post("/streams", json={"title": "Waits", "ingest": srt}, headers=operator).json()
    path = f"/streams/{created['stream_id']}"
    changed = api.patch(f"{path}?dry_run=true", json={"ingest": {**srt, "port": 9_001}}, headers=operator)
    assert changed.json()["applies"] == "hot", changed.text
    live = api.post(f"{path}/state", json={"state": "live"}, headers=operator)
    assert live.json()["state"] == "backoff", live.text
    run_log = RunLog(worker_id="w1", run="1-1", source="primary", began_at_ms=1)
    Container(module_settings).stores.media.put(
        run_log_key(created["stream_id"]), encode([run_log]), "application/json"
    )
    assert api.get(f"{path}/log", headers=operator).json()["items"][0]["run"] == "1-1"
    assert api.get("/workers", headers=operator).json() == {"items": [], "next_cursor": None}
    assert api.get(f"{path}/runtime", headers=operator).json()["waiting"] == "no_worker"
    DynamoWorkers(module_settings.table_prefix).report(
        Worker(worker_id="w1", capacity=1, stream_ids=("x",), seen_at_ms=SystemClock().now_ms())
    )
    invoke(module_settings, "app.settle_streams")
    runtime = api.get(f"{path}/runtime", headers=operator).json()
    assert (runtime["waiting"], runtime["last_error"]) == ("no_capacity", "the only worker is full: 1 of 1 streams")
    api.post(f"{path}/state", json={"state": "stopped"}, headers=operator)


def invoke(settings: Settings, handler: str) -> None:
    """Run one of the stage's scheduled functions."""
    [name] = [
        f["FunctionName"]
        for f in client("lambda").list_functions()["Functions"]
        if f["Handler"] == handler and f["Environment"]["Variables"].get("TOLLCAST_STAGE") == settings.stage
    ]
    answer = client("lambda").invoke(FunctionName=name, Payload=EVENT)
    # Read in any case: an answer left unread keeps its connection.
    said = answer["Payload"].read()
    assert "FunctionError" not in answer, said


def test_an_ended_session_is_reconciled_and_adjusted(
    api: httpx.Client, viewer_token: str, operator: dict[str, str], module_settings: Settings
) -> None:
    container = Container(module_settings)
    live_stream(container)
    bearer = {"Authorization": f"Bearer {viewer_token}"}
    session_id = api.post("/playback/start", json={"stream_id": "stream-1"}, headers=bearer).json()["session_id"]
    api.post("/playback/stop", json={"session_id": session_id}, headers=bearer)
    assert api.get(f"/me/sessions/{session_id}", headers=bearer).json()["media_ms"] == 0
    payment = {"payment_id": "adjust-1", "millipoints": 7}
    adjusted = api.post(f"/sessions/{session_id}/adjust", json=payment, headers=operator)
    assert adjusted.status_code == 200, adjusted.text
    client("dynamodb").update_item(
        TableName=module_settings.table_prefix + "playback_sessions",
        Key=to_row({"session_id": session_id}),
        UpdateExpression="SET reconcile_at_ms = :due",
        ExpressionAttributeValues=to_row({":due": 1}),
    )
    invoke(module_settings, "app.reconcile_sessions")
    for params in ({}, {"disagreeing": "true"}):
        rows = api.get("/reconciliation", params=params, headers=operator)
        assert rows.status_code == 200, rows.text
        row = {each["session_id"]: each for each in rows.json()["items"]}[session_id]
        assert (row["adjustment_millipoints"], row["reason"]) == (7, "not_measured")
    totals = api.get(f"/reconciliation/{row['day']}", headers=operator)
    assert totals.json()["sessions"] >= 1, totals.text
    figures = api.get("/monitoring/metrics", headers=operator)
    assert figures.json()["reconciliation"]["sessions"] >= 1, figures.text
    for path in ("/monitoring/streams", "/monitoring/cut-offs"):
        assert api.get(path, headers=operator).json()["items"] == []
    for params in ({}, {"user_id": row["user_id"]}):
        log = api.get("/audit", params=params, headers=operator).json()["items"]
        assert (log[0]["action"], log[0]["target"]) == ("session.adjust", session_id)


def test_addresses_are_kept_and_a_person_is_erased_as_deployed(
    api: httpx.Client, operator: dict[str, str], module_settings: Settings
) -> None:
    container = Container(module_settings)
    live_stream(container)
    login = {"email": "gone@local", "password": "a good password"}
    user_id = api.post("/users", json=login, headers=operator).json()["user_id"]
    payment = {"payment_id": "gift-1", "millipoints": 50_000}
    assert api.post(f"/wallets/{user_id}/credit", json=payment, headers=operator).status_code == 200
    token = api.post("/auth/login", json=login).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}", "User-Agent": "mpv of a person"}
    assert api.post("/playback/start", json={"stream_id": "stream-1"}, headers=bearer).status_code == 201
    for params, agent in (({"state": "active"}, "mpv of a person"), ({"state": "ended"}, None)):
        [session] = api.get("/sessions", params={"user_id": user_id, **params}, headers=operator).json()["items"]
        assert (session["user_agent"], session["ip"] is None) == (agent, agent is None)
        erased = api.post(f"/users/{user_id}/erase", headers=operator)
        assert erased.status_code == 200, erased.text
    [entry, *_] = api.get("/audit", params={"user_id": user_id}, headers=operator).json()["items"]
    assert entry["action"] == "user.erase" and entry["ip"]
    assert container.stores.users.by_email("gone@local") is None


def test_a_binding_that_no_gateway_here_would_hold_is_refused(
    api: httpx.Client, operator: dict[str, str], module_settings: Settings
) -> None:
    live_stream(Container(module_settings))
    for binding, status in (("enforce", 400), ("off", 200)):
        edited = api.patch("/streams/stream-1", json={"session_binding": binding}, headers=operator)
        assert edited.status_code == status, edited.text
    assert edited.json()["session_binding"] == "off"


def test_the_roles_of_the_containers_are_told(deployed: dict[str, str]) -> None:
    # What they allow: test_task_roles.py.
    for part in ("Worker", "Endpoints", "Usage", "Refusals"):
        assert deployed[f"{part}RoleArn"].startswith("arn:aws:iam::")


def test_the_package_is_small(template: Path) -> None:
    # Lambda's limit is 250 MB unpacked; ours stays small enough to start fast.
    assert template.with_name("functions.zip").stat().st_size < 12_000_000
