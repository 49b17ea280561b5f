"""The local emulator: private, with closed admin paths, and with state that survives a stop and a crash."""

import time

import httpx
import pytest

from chalicelib import config
from chalicelib.adapters.aws import client
from infra import migrations
from infra.migrations import m0001_initial
from infra.migrations.runner import names_known, pending
from tests.fixtures.emulator import point_at, start_emulator
from tests.fixtures.waiting import eventually

POINTS = {"user_id": {"S": "u"}, "balance_millipoints": {"N": "100"}}


def test_migrations_create_everything_once(settings):
    wallets = client("dynamodb").describe_table(TableName=settings.table_prefix + "wallets")["Table"]
    assert wallets["TableStatus"] == "ACTIVE"
    assert pending(settings.table_prefix + "migrations") == []
    assert migrations.apply(settings) == []
    assert names_known()[0] == "m0001_initial"


@pytest.mark.parametrize("migration", ["m0002_service_keys", "m0005_series", "m0006_ingest_issues"])
def test_a_stage_from_before_gets_a_table(settings, migration):
    table, before = settings.table_prefix + migration[len("m0000_") :], settings.table_prefix + "migrations"
    dynamodb = client("dynamodb")
    dynamodb.delete_table(TableName=table)
    dynamodb.delete_item(TableName=before, Key={"migration_id": {"S": migration}})
    assert migrations.apply(settings) == [migration]
    assert dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"
    expiry = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert expiry["AttributeName"] == "expires_at_s"


def test_the_queue_has_dead_letters(settings):
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=settings.work_queue)["QueueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    assert settings.work_queue + "-dead" in policy


def test_objects_that_workers_forget_expire(settings):
    m0001_initial.ensure_bucket(settings.media_bucket)
    found = client("s3").get_bucket_lifecycle_configuration(Bucket=settings.media_bucket)["Rules"]
    rules = {rule["ID"]: rule for rule in found}
    assert rules.keys() == {"expire-segments", "expire-logs", "abort-unfinished-uploads"}
    assert {rule["Status"] for rule in found} == {"Enabled"}
    # The longest window is half a day. Only segments have the tag, so unchanged playlists do not expire.
    assert rules["expire-segments"]["Expiration"]["Days"] == 2
    segments = rules["expire-segments"]["Filter"]["And"]
    assert (segments["Prefix"], segments["Tags"]) == ("streams/", [{"Key": "expires", "Value": "yes"}])
    assert rules["expire-logs"]["Filter"]["Prefix"] == "logs/"
    assert rules["abort-unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_objects_and_listings_are_private(emulator, settings):
    client("s3").put_object(Bucket=settings.media_bucket, Key="streams/s/x.ts", Body=b"x")
    for path in ("/", f"/{settings.media_bucket}", f"/{settings.media_bucket}/streams/s/x.ts"):
        assert httpx.get(emulator.endpoint + path).status_code == 403, path
    assert client("s3").get_object(Bucket=settings.media_bucket, Key="streams/s/x.ts")["Body"].read() == b"x"


def test_admin_paths_are_closed_and_health_is_open(emulator):
    for path in ("/_ministack/reset", "/_ministack/config", "/_ministack/health"):
        assert httpx.post(emulator.endpoint + path).status_code == 403, path
    for path in ("/_ministack/sqs/messages", "/%5fministack/sqs/messages", "/_localstack/anything"):
        assert httpx.get(emulator.endpoint + path).status_code == 403, path
    assert httpx.get(emulator.endpoint + "/_ministack/health").status_code == 200


def await_save(state):
    began_s = time.time()

    def is_saved():
        return min((file.stat().st_mtime for file in state.glob("*.json")), default=0) > began_s

    eventually(is_saved, 60, "a save")


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_state_survives(tmp_path, how):
    first = start_emulator(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        point_at(first, patch, stage="kept")
        settings = config.load()
        migrations.apply(settings)
        client("dynamodb").put_item(TableName=settings.table_prefix + "wallets", Item=POINTS)
        client("s3").put_object(Bucket=settings.media_bucket, Key="streams/s/x.ts", Body=b"x")
        if how == "kill":
            for _ in range(2):  # the first may have begun before
                await_save(tmp_path / "state")
        getattr(first.process, how)()
        first.process.wait(10)
        second = start_emulator(tmp_path, first.port)
        try:
            key = {"user_id": POINTS["user_id"]}
            table = settings.table_prefix + "wallets"
            found = client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)
            assert found["Item"] == POINTS
            assert client("s3").get_object(Bucket=settings.media_bucket, Key="streams/s/x.ts")["Body"].read() == b"x"
            assert migrations.apply(settings) == []
        finally:
            second.stop()
