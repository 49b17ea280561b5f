"""The first tables, the private media bucket, the work queue with its dead letters, and the keys of the tokens."""

import json
from contextlib import suppress

from chalicelib.adapters.aws import client, translated
from chalicelib.adapters.clock import SystemClock
from chalicelib.config import Settings
from chalicelib.domain.access.key_sets import first_key_sets, to_document
from chalicelib.services.access.key_rotation import new_key
from infra.migrations.tables import ensure_expiry, ensure_table
from infra.schema import (
    DEAD_QUEUE_RETENTION_S,
    DEAD_QUEUE_SUFFIX,
    QUEUE_RECEIVES_MAX,
    QUEUE_RETENTION_S,
    QUEUE_VISIBILITY_S,
    TABLES,
    media_lifecycle,
)


def apply(settings: Settings) -> None:
    """Create the resources that are missing."""
    with translated():
        for name in TABLES:
            ensure_table(settings.table_prefix, name)
            ensure_expiry(settings.table_prefix, name)
        ensure_bucket(settings.media_bucket)
        ensure_queues(settings.work_queue)
        ensure_token_keys(settings.token_secret)


def ensure_bucket(name: str) -> None:
    """Create a private bucket whose forgotten objects expire."""
    s3 = client("s3")
    try:
        s3.create_bucket(Bucket=name)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.head_bucket(Bucket=name)  # Fails for a bucket of another account.
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=media_lifecycle())


def ensure_queues(name: str) -> None:
    """Create the work queue. Messages that were received `QUEUE_RECEIVES_MAX` times go to its dead letters."""
    dead_arn = _ensure_queue(name + DEAD_QUEUE_SUFFIX, {"MessageRetentionPeriod": str(DEAD_QUEUE_RETENTION_S)})
    _ensure_queue(
        name,
        {
            "VisibilityTimeout": str(QUEUE_VISIBILITY_S),
            "MessageRetentionPeriod": str(QUEUE_RETENTION_S),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": QUEUE_RECEIVES_MAX}),
        },
    )


def _ensure_queue(name: str, attributes: dict[str, str]) -> str:
    sqs = client("sqs")
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def ensure_token_keys(secret: str) -> None:
    """Create one key for each kind of token. Keep an existing secret, since new keys would end all logins."""
    manager = client("secretsmanager")
    sets = first_key_sets(new_key, SystemClock().now_ms())
    with suppress(manager.exceptions.ResourceExistsException):
        manager.create_secret(Name=secret, SecretString=json.dumps(to_document(sets)))
