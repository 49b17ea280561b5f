"""The packed functions, deployed by CloudFormation into the emulator, do the main job through API Gateway."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from chalicelib.adapters.access.secret_keys import SecretKeyStore
from chalicelib.adapters.aws import client
from chalicelib.adapters.clock import SystemClock
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.operations.workers import Worker
from chalicelib.domain.streams.media_keys import media_key
from chalicelib.domain.streams.run_logs import RunLog, encode, run_log_key
from infra.deploy.package import package
from infra.deploy.stack import deploy
from tests.fixtures.emulator import Emulator
from tests.http.conftest import PASSWORD, Api, assert_problem, bearer
from tests.http.money.test_reconciling import make_due

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
    client("s3").create_bucket(Bucket=f"{module_settings.media_bucket}-code")
    return deploy(template, module_settings, f"{module_settings.media_bucket}-code")


@pytest.fixture(scope="module")
def api(emulator: Emulator, deployed: dict[str, str], module_settings: Settings, template: Path) -> Iterator[Api]:
    base = f"{emulator.endpoint}/restapis/{deployed['RestAPIId']}/api/_user_request_"
    with httpx.Client(base_url=base, timeout=30) as http:
        yield Api(http, Container(module_settings), log=template)


@pytest.fixture(scope="module")
def viewer(api: Api) -> dict[str, str]:
    return api.viewer()


@pytest.fixture(scope="module")
def operator(api: Api) -> dict[str, str]:
    return api.admin()


def test_login_start_and_an_authorised_playlist(api: Api, viewer: dict[str, str]) -> None:
    stream_id = api.live_stream()
    api.services.stores.media.put(media_key(stream_id, "index.m3u8"), PLAYLIST, "application/vnd.apple.mpegurl")
    start = api.start(viewer, stream_id)
    assert start.status_code == 201, start.text
    session = start.json()
    assert session["balance_millipoints"] == 90_000
    path = f"/play/{session['session_id']}/index.m3u8"
    playlist = api.http.get(path, headers={"Authorization": f"Bearer {session['play_token']}"})
    assert (playlist.status_code, playlist.content) == (200, PLAYLIST), playlist.text
    assert playlist.headers["cache-control"] == "no-store"
    for wrong in ({}, viewer, {"Authorization": "Bearer nonsense"}):
        assert api.http.get(path, headers=wrong).status_code in (401, 403)
    assert api.end(viewer, session["session_id"])["end_reason"] == "viewer_stopped"


def test_an_operator_sees_kicks_and_blocks_a_viewer_as_deployed(
    api: Api, viewer: dict[str, str], operator: dict[str, str]
) -> None:
    session_id = api.watch(viewer)
    [row] = [each for each in api.get(operator, "/sessions")["items"] if each["session_id"] == session_id]
    balance = api.get(viewer, "/me/wallet")["balance_millipoints"]
    assert (row["stream_title"], row["balance_millipoints"]) == ("A stream", balance)
    assert row["email"].endswith("@local")
    block = api.end(operator, session_id, "kick", message="Bye.", block_minutes=5)["block"]
    assert_problem(api.start(viewer, row["stream_id"]), 403, "blocked")
    assert api.get(operator, "/blocks")["items"] == [block]
    assert api.http.delete(f"/blocks/{block['block_id']}", headers=operator).status_code == 200
    [row] = api.get(operator, "/sessions", stream_id=row["stream_id"], state="ended")["items"]
    assert (row["message"], row["cut_off_ms"], row["cut_off_measured"]) == ("Bye.", None, False)


def test_problems_keep_their_form_through_api_gateway(api: Api, viewer: dict[str, str]) -> None:
    assert_problem(api.try_login("demo@local", "wrong"), 401, "invalid_credentials")
    broken = api.http.post("/playback/start", content=b"{", headers=viewer)
    assert (broken.status_code, broken.headers["content-type"]) == (400, "application/problem+json")


def test_the_schedules_run_as_deployed(api: Api, operator: dict[str, str], module_settings: Settings) -> None:
    for handler in ("app.settle_streams", "app.reap_sessions", "app.reconcile_sessions", "app.sample_series"):
        invoke(module_settings, handler)
    overview = api.get(operator, "/monitoring/overview")
    assert overview["is_current"] and overview["dead_letters"] == 0, overview
    series = api.get(operator, "/monitoring/series", names="active_sessions")["series"]["active_sessions"]
    assert len(series) == 1_440 and set(series) != {None}


def test_keys_rotate_as_deployed_and_no_user_is_logged_out(
    api: Api, viewer: dict[str, str], module_settings: Settings
) -> None:
    store = SecretKeyStore(module_settings.token_secret)
    # Announced, then current: each when the last change is long ago.
    for current in ("k1", "k2"):
        sets, version = store.read()
        store.replace(version, {kind: replace(each, changed_at_ms=0) for kind, each in sets.items()})
        invoke(module_settings, "app.tend_token_keys")
        found = store.read()[0].values()
        assert {(each.current, len(each.keys)) for each in found} == {(current, 2)}
    assert api.http.get("/me", headers=viewer).status_code == 200


def test_an_operator_is_told_why_a_stream_waits(api: Api, operator: dict[str, str], module_settings: Settings) -> None:
    srt = {"mode": "listen", "protocol": "srt", "port": 9_000}
    created = api.http.post("/streams", json={"title": "Waits", "ingest": srt}, headers=operator).json()
    path = f"/streams/{created['stream_id']}"
    changed = api.http.patch(f"{path}?dry_run=true", json={"ingest": {**srt, "port": 9_001}}, headers=operator)
    assert changed.json()["applies"] == "hot", changed.text
    live = api.http.post(f"{path}/state", json={"state": "live"}, headers=operator)
    assert live.json()["state"] == "backoff", live.text
    run_log = RunLog(worker_id="w1", run="1-1", source="primary", began_at_ms=1)
    api.services.stores.media.put(run_log_key(created["stream_id"]), encode([run_log]), "application/json")
    assert api.get(operator, f"{path}/log")["items"][0]["run"] == "1-1"
    assert api.get(operator, "/workers") == {"items": [], "next_cursor": None}
    assert api.get(operator, f"{path}/runtime")["waiting"] == "no_worker"
    full = Worker(worker_id="w1", capacity=1, stream_ids=("x",), seen_at_ms=SystemClock().now_ms())
    DynamoWorkers(module_settings.table_prefix).report(full)
    invoke(module_settings, "app.settle_streams")
    runtime = api.get(operator, f"{path}/runtime")
    assert (runtime["waiting"], runtime["last_error"]) == ("no_capacity", "the only worker is full: 1 of 1 streams")
    api.http.post(f"{path}/state", json={"state": "stopped"}, headers=operator)


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
    api: Api, viewer: dict[str, str], operator: dict[str, str], module_settings: Settings
) -> None:
    session_id = api.watch(viewer)
    api.end(viewer, session_id)
    assert api.get(viewer, f"/me/sessions/{session_id}")["media_ms"] == 0
    payment = {"payment_id": "adjust-1", "millipoints": 7}
    adjusted = api.http.post(f"/sessions/{session_id}/adjust", json=payment, headers=operator)
    assert adjusted.status_code == 200, adjusted.text
    make_due(api, session_id)
    invoke(module_settings, "app.reconcile_sessions")
    for params in ({}, {"disagreeing": "true"}):
        rows = api.get(operator, "/reconciliation", **params)["items"]
        row = {each["session_id"]: each for each in rows}[session_id]
        assert (row["adjustment_millipoints"], row["reason"]) == (7, "not_measured")
    assert api.get(operator, f"/reconciliation/{row['day']}")["sessions"] >= 1
    assert api.get(operator, "/monitoring/metrics")["reconciliation"]["sessions"] >= 1
    assert api.get(operator, "/money/totals")["total"]["sessions"] >= 1
    timeline = api.get(operator, f"/users/{row['user_id']}/timeline")["items"]
    assert {"session", "payment", "login"} <= {event["kind"] for event in timeline}
    for path in ("/monitoring/streams", "/monitoring/cut-offs"):
        assert api.get(operator, path)["items"] == []
    for params in ({}, {"user_id": row["user_id"]}):
        log = api.get(operator, "/audit", **params)["items"]
        assert (log[0]["action"], log[0]["target"]) == ("session.adjust", session_id)


def test_a_service_key_pays_and_takes_back_as_deployed(api: Api, operator: dict[str, str]) -> None:
    user = api.user()
    key = {"name": "shop", "scopes": ["credit", "metrics"], "expires_in_days": 1}
    created = api.http.post("/service-keys", json=key, headers=operator).json()
    rotated = api.http.post(f"/service-keys/{created['key_id']}/rotate", json={"overlap_hours": 0}, headers=operator)
    headers = {"Authorization": f"Bearer {rotated.json()['key']}"}
    assert api.get(headers, "/users/lookup", email=user.email)["user_id"] == user.user_id
    payment = {"millipoints": 5, "payment_id": "evt-1"}
    assert api.http.post(f"/wallets/{user.user_id}/credit", json=payment, headers=headers).status_code == 200
    reversed_ = api.http.post("/payments/evt-1/reverse", json={"disable_account": True}, headers=headers)
    assert reversed_.json()["reversed_millipoints"] == 5, reversed_.text
    assert api.get(headers, "/monitoring/metrics")["reconciliation"]
    [listed] = api.get(operator, "/service-keys")["items"]
    assert listed["last_used_at_ms"] is not None
    assert api.http.delete(f"/service-keys/{created['key_id']}", headers=operator).status_code == 200
    assert_problem(api.http.get("/payments/evt-1", headers=headers), 401, "key_revoked")


def test_addresses_are_kept_and_a_person_is_erased_as_deployed(api: Api, operator: dict[str, str]) -> None:
    login = {"email": "gone@local", "password": PASSWORD}
    user_id = api.http.post("/users", json=login, headers=operator).json()["user_id"]
    payment = {"payment_id": "gift-1", "millipoints": 50_000}
    assert api.http.post(f"/wallets/{user_id}/credit", json=payment, headers=operator).status_code == 200
    api.watch({**bearer(api.try_login("gone@local")), "User-Agent": "mpv of a person"})
    for params, agent in (({"state": "active"}, "mpv of a person"), ({"state": "ended"}, None)):
        [session] = api.get(operator, "/sessions", user_id=user_id, **params)["items"]
        assert (session["user_agent"], session["ip"] is None) == (agent, agent is None)
        erased = api.http.post(f"/users/{user_id}/erase", headers=operator)
        assert erased.status_code == 200, erased.text
    [entry, *_] = api.get(operator, "/audit", user_id=user_id)["items"]
    assert entry["action"] == "user.erase" and entry["ip"]
    assert api.services.stores.users.by_email("gone@local") is None


def test_a_binding_that_no_gateway_here_would_hold_is_refused(api: Api, operator: dict[str, str]) -> None:
    path = f"/streams/{api.live_stream()}"
    for binding, status in (("enforce", 400), ("off", 200)):
        edited = api.http.patch(path, json={"session_binding": binding}, headers=operator)
        assert edited.status_code == status, edited.text
    assert edited.json()["session_binding"] == "off"


def test_the_roles_of_the_containers_are_told(deployed: dict[str, str]) -> None:
    # What they allow: test_task_roles.py.
    for part in ("Worker", "Endpoints", "Usage", "Refusals"):
        assert deployed[f"{part}RoleArn"].startswith("arn:aws:iam::")


def test_the_package_is_small(template: Path) -> None:
    # Lambda's limit is 250 MB unpacked; ours stays small enough to start fast.
    assert template.with_name("functions.zip").stat().st_size < 12_000_000
