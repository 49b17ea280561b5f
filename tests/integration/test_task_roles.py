"""The roles of what runs in containers, as the emulator enforces them: enough for real work, and for nothing else."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.adapters.operations.dynamodb_workers import DynamoWorkers
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.access.clients import Client
from chalicelib.domain.access.tokens import PlayClaims
from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.money.usage import Follower, Served
from chalicelib.domain.streams.issues.ingest_refusals import IngestRefusal, RefusalCode, ingest_refusals_key
from chalicelib.domain.streams.run_logs import run_log_key
from chalicelib.domain.streams.runtime import RuntimeState
from infra.deploy.stack import setting_parameters
from infra.deploy.task_roles import task_role_outputs, task_roles
from tests.fixtures.emulator import forget_clients
from tests.fixtures.waiting import eventually
from tests.integration.worker.conftest import lab as lab
from tests.integration.worker.harness import STREAM, Lab

NEEDED = ("Stage", "MediaBucket", "WorkQueue", "TokenSecret")
KEYS = {"users": "user_id", "wallets": "user_id", "playback_sessions": "session_id", "usage": "session_id"}
TAGGING = "s3:PutObjectTagging"
SEGMENT = f"streams/{STREAM}/480p/1-1-000000.ts"


@pytest.fixture
def roles(settings: Settings) -> dict[str, str]:
    """Return the ARNs of the roles, by output, of a stack with nothing else."""
    parameters = {name: {"Type": "String"} for name in NEEDED}
    template = {"Parameters": parameters, "Resources": task_roles(), "Outputs": task_role_outputs()}
    values = setting_parameters(settings)
    name = f"roles-{settings.stage}"
    formation = client("cloudformation")
    formation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": values[key]} for key in NEEDED],
        Capabilities=["CAPABILITY_IAM"],
    )
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    [stack] = formation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def credentials(role_arn: str) -> dict[str, str]:
    """Return the environment of a task with this role."""
    given = client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


@contextmanager
def acting_as(role_arn: str) -> Iterator[None]:
    """Use the role's credentials in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in credentials(role_arn).items():
            patch.setenv(name, value)
        reset_clients()
        try:
            yield
        finally:
            patch.undo()
            reset_clients()


def reset_clients() -> None:
    """Reset the SDK's default session and the clients, which keep their credentials."""
    boto3.setup_default_session()
    forget_clients()


def table(operation: str, settings: Settings, name: str, **more: Any) -> Callable[[], Any]:
    key = {KEYS.get(name, "stream_id"): "x"}
    request = {"Item": to_row(key)} if operation == "put_item" else {"Key": to_row(key)}
    return lambda: getattr(client("dynamodb"), operation)(TableName=settings.table_prefix + name, **request, **more)


def bucket(operation: str, settings: Settings, **request: Any) -> Callable[[], Any]:
    return lambda: getattr(client("s3"), operation)(Bucket=settings.media_bucket, **request)


def secret(settings: Settings) -> Callable[[], Any]:
    return lambda: client("secretsmanager").get_secret_value(SecretId=settings.token_secret)


def queue(settings: Settings) -> Callable[[], Any]:
    return lambda: client("sqs").get_queue_url(QueueName=settings.work_queue)


def assert_denied(*calls: Callable[[], Any]) -> None:
    """Check that each call is refused by the policy and for no other reason."""
    for number, call in enumerate(calls):
        with pytest.raises(ClientError) as refused:
            call()
        code = refused.value.response["Error"]["Code"]
        assert code in ("AccessDenied", "AccessDeniedException"), (number, refused.value)


def test_a_worker_does_all_its_work_with_its_role(lab: Lab, roles: dict[str, str], settings: Settings) -> None:
    own = credentials(roles["WorkerRoleArn"])
    lab.environ = lambda worker_id: {**Lab.environ(lab, worker_id), **own}  # type: ignore[method-assign]
    workers = DynamoWorkers(settings.table_prefix)
    lab.add(abr_profile="hd")
    lab.queue.send(STREAM)
    process = lab.process("w1")
    lab.wait_for(RuntimeState.LIVE, 40)
    assert [worker.stream_ids for worker in workers.list(limit=9, cursor=None).items] == [(STREAM,)]
    lab.change(abr_profile="sd", generation=2)
    dropped = f"streams/{STREAM}/720p/index.m3u8"
    eventually(lambda: lab.s3.get(dropped) is None, 20, "the dropped rendition's playlist is deleted", lab.runtime)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    runtime = lab.runtime()
    assert (runtime.claim, runtime.state) == (None, RuntimeState.STOPPED)
    assert lab.s3.get(run_log_key(STREAM)) and not workers.list(limit=9, cursor=None).items
    assert [hint.stream_id for hint in lab.queue.receive(1)] == [STREAM]
    said = (lab.directory / "w1.log").read_text()
    assert "AccessDenied" not in said and '"warning"' not in said, said


def test_a_worker_may_tag_what_it_stores() -> None:
    # AWS asks for this where an object is stored with a tag; the emulator does not.
    [policy] = task_roles()["WorkerRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    allowed = [each["Resource"]["Fn::Sub"] for each in statements if TAGGING in each["Action"]]
    assert allowed == ["arn:${AWS::Partition}:s3:::${MediaBucket}/streams/*"]


def test_a_worker_may_do_nothing_else(roles: dict[str, str], settings: Settings) -> None:
    media = Container(settings).stores.media
    media.put(SEGMENT, b"x", "video/mp2t")
    with acting_as(roles["WorkerRoleArn"]):
        # What the sweep of a worker does, long after it has begun.
        assert media.list("streams/", limit=9) == [SEGMENT]
        media.delete([SEGMENT])
        assert media.get(SEGMENT) is None
        assert_denied(
            *(table("get_item", settings, name) for name in ("users", "wallets", "playback_sessions", "usage")),
            table("put_item", settings, "streams"),
            table("update_item", settings, "streams"),
            table("delete_item", settings, "stream_runtime"),
            bucket("put_object", settings, Key="elsewhere/x", Body=b""),
            bucket("put_object", settings, Key="streams", Body=b""),
            bucket("delete_object", settings, Key="elsewhere/x"),
            bucket("delete_object", settings, Key=run_log_key(STREAM)),
            bucket("get_object", settings, Key="elsewhere/x"),
            bucket("delete_bucket", settings),
            secret(settings),
        )


def test_the_endpoints_judge_and_sign_and_may_do_nothing_else(
    lab: Lab, roles: dict[str, str], settings: Settings
) -> None:
    lab.add()
    lab.s3.put(SEGMENT, b"media", "video/mp2t")
    claims = PlayClaims(user_id="u", session_id="s", stream_id=STREAM, expires_at_ms=10**15)
    with acting_as(roles["EndpointsRoleArn"]):
        own = Container(settings)
        # Keys, wallet and session were read to find that out.
        with pytest.raises(Unauthenticated, match="no such session"):
            own.access.authorize(own.stores.tokens.sign_play(claims), "s", None)
        assert own.stores.streams.get(STREAM)
        first = Client(ip="192.0.2.1", user_agent="mpv")
        assert own.stores.clients.bind("media.s", "u", first, own.stores.clock.now_ms()) == first
        assert own.stores.clients.mark_elsewhere("media.s")
        address = f"{client('s3').meta.endpoint_url}/{settings.media_bucket}"
        signed = httpx.get(f"{address}/{SEGMENT}?{own.stores.media.signed_query(SEGMENT, 60)}")
        assert (signed.status_code, signed.content) == (200, b"media"), signed.text
        # It can be made for anything, and is good for no more than its signer is.
        logs = run_log_key(STREAM)
        assert httpx.get(f"{address}/{logs}?{own.stores.media.signed_query(logs, 60)}").status_code == 403
        assert_denied(
            *(table("get_item", settings, name) for name in ("users", "stream_runtime", "usage")),
            *(table("update_item", settings, name) for name in ("wallets", "playback_sessions", "streams")),
            bucket("put_object", settings, Key=SEGMENT, Body=b""),
            bucket("delete_object", settings, Key=SEGMENT),
            bucket("list_objects_v2", settings),
            queue(settings),
        )


def test_the_follower_adds_up_usage_and_may_do_nothing_else(roles: dict[str, str], settings: Settings) -> None:
    usage = Container(settings).stores.usage
    served = Served(media_ms=2_000, media_bytes=9, segments=1, requests=1, first_at_ms=1, last_at_ms=2)
    with acting_as(roles["UsageRoleArn"]):
        assert usage.add("s", served, follower="f", batch=1, now_ms=3)
        assert usage.count(60, "stream-1", {"media_2xx": 1}, follower="f", batch=1)
        usage.mark("f", 2, [(0, 1)])
        usage.mark("g", 2)
        usage.leave("g")
        assert_denied(
            *(table("get_item", settings, name) for name in ("usage", "users", "wallets")),
            *(table("update_item", settings, name) for name in ("wallets", "playback_sessions")),
            bucket("get_object", settings, Key=SEGMENT),
            queue(settings),
            secret(settings),
        )
    [stream] = usage.counted_by_stream(60, limit=9, cursor=None).items
    assert stream.traffic.media.answers_2xx == 1
    assert usage.get("s") == served and usage.followers() == {
        "f": Follower(through_ms=2, lost=((0, 1),), reported_at_ms=2)
    }


def test_the_collector_adds_refusals_and_may_do_nothing_else(roles: dict[str, str], settings: Settings) -> None:
    refused = IngestRefusal(code=RefusalCode.WRONG_KEY, count=2, last_at_ms=Container(settings).stores.clock.now_ms())
    with acting_as(roles["RefusalsRoleArn"]):
        refusals = Container(settings).ingest_refusals
        refusals.add(STREAM, (refused,))
        refusals.add(STREAM, (refused,))
        assert [each.count for each in refusals.newest(STREAM)] == [4]
        assert_denied(
            *(table("get_item", settings, name) for name in ("users", "streams", "stream_runtime")),
            table("update_item", settings, "stream_runtime"),
            bucket("get_object", settings, Key=SEGMENT),
            bucket("get_object", settings, Key=run_log_key(STREAM)),
            bucket("put_object", settings, Key=run_log_key(STREAM), Body=b""),
            bucket("put_object", settings, Key=SEGMENT, Body=b""),
            bucket("delete_object", settings, Key=ingest_refusals_key(STREAM)),
            queue(settings),
            secret(settings),
        )
