"""The packed functions, deployed by CloudFormation into the emulator, do the main job through API Gateway."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.ingest import Ingest, IngestMode
from chalicelib.domain.streams import DesiredState, Runtime, RuntimeState, Stream, media_key
from chalicelib.domain.users import Role
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
def api(module_settings: Settings, emulator: Emulator, template: Path) -> Iterator[httpx.Client]:
    client("s3").create_bucket(Bucket=f"{module_settings.media_bucket}-code")
    outputs = deploy(template, module_settings, f"{module_settings.media_bucket}-code")
    base = f"{emulator.endpoint}/restapis/{outputs['RestAPIId']}/api/_user_request_"
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


def live_stream(container: Container) -> None:
    """A stream that a worker has claimed and reports live, and its playlist."""
    stream = container.streams.ensure(Stream(stream_id="stream-1", title="Stream", ingest=Ingest(mode=IngestMode.TEST)))
    container.streams.set_state(stream.stream_id, DesiredState.LIVE)
    now_ms = container.clock.now_ms()
    claim = container.runtimes.claim(stream.stream_id, "worker-1", now_ms, now_ms + 120_000)
    assert claim is not None
    runtime = Runtime(stream_id=stream.stream_id, state=RuntimeState.LIVE, claim=claim, reported_at_ms=now_ms)
    assert container.runtimes.report(claim, runtime)
    container.media.put(media_key(stream.stream_id, "index.m3u8"), PLAYLIST, "application/vnd.apple.mpegurl")


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
    functions = client("lambda").list_functions()["Functions"]
    stage = [f for f in functions if f["Environment"]["Variables"].get("TOLLCAST_STAGE") == module_settings.stage]
    handlers = ("app.settle_streams", "app.reap_sessions", "app.reconcile_sessions")
    scheduled = [f["FunctionName"] for f in stage if f["Handler"] in handlers]
    assert len(scheduled) == 3
    for name in scheduled:
        answer = client("lambda").invoke(FunctionName=name, Payload=EVENT)
        assert "FunctionError" not in answer, answer["Payload"].read()


def test_an_ended_session_is_reconciled_and_adjusted(
    api: httpx.Client, viewer_token: str, module_settings: Settings
) -> None:
    container = Container(module_settings)
    live_stream(container)
    bearer = {"Authorization": f"Bearer {viewer_token}"}
    session_id = api.post("/playback/start", json={"stream_id": "stream-1"}, headers=bearer).json()["session_id"]
    api.post("/playback/stop", json={"session_id": session_id}, headers=bearer)
    assert api.get(f"/me/sessions/{session_id}", headers=bearer).json()["media_ms"] == 0
    container.accounts.ensure_user("admin@local", "admin", Role.ADMIN)
    login = api.post("/auth/login", json={"email": "admin@local", "password": "admin"}).json()
    admin = {"Authorization": f"Bearer {login['access_token']}"}
    payment = {"payment_id": "adjust-1", "millipoints": 7}
    adjusted = api.post(f"/sessions/{session_id}/adjust", json=payment, headers=admin)
    assert adjusted.status_code == 200, adjusted.text
    client("dynamodb").update_item(
        TableName=module_settings.table_prefix + "playback_sessions",
        Key=to_row({"session_id": session_id}),
        UpdateExpression="SET reconcile_at_ms = :due",
        ExpressionAttributeValues=to_row({":due": 1}),
    )
    [name] = [
        f["FunctionName"]
        for f in client("lambda").list_functions()["Functions"]
        if f["Handler"] == "app.reconcile_sessions"
        and f["Environment"]["Variables"].get("TOLLCAST_STAGE") == module_settings.stage
    ]
    answer = client("lambda").invoke(FunctionName=name, Payload=EVENT)
    assert "FunctionError" not in answer, answer["Payload"].read()
    for params in ({}, {"disagreeing": "true"}):
        rows = api.get("/reconciliation", params=params, headers=admin)
        assert rows.status_code == 200, rows.text
        row = {each["session_id"]: each for each in rows.json()["items"]}[session_id]
        assert (row["adjustment_millipoints"], row["reason"]) == (7, "not_measured")
    totals = api.get(f"/reconciliation/{row['day']}", headers=admin)
    assert totals.json()["sessions"] >= 1, totals.text
    figures = api.get("/monitoring/metrics", headers=admin)
    assert figures.json()["reconciliation"]["sessions"] >= 1, figures.text


def test_the_package_is_small(template: Path) -> None:
    # Lambda's limit is 250 MB unpacked; ours stays small enough to start fast.
    assert template.with_name("functions.zip").stat().st_size < 12_000_000
