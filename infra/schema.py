"""The tables and queues, said once: the local set-up, the tests and the CloudFormation resources all use this.

A table's attributes beyond its keys are described where they are written, in `chalicelib/adapters/`.
"""

from typing import Any

from chalicelib.adapters.streams.s3_media import EXPIRES_TAG

QUEUE_VISIBILITY_S = 30
QUEUE_RECEIVES_MAX = 5
QUEUE_RETENTION_S = 3_600
# What was received too often is kept beside the queue for people to look at.
DEAD_QUEUE_SUFFIX = "-dead"
DEAD_QUEUE_RETENTION_S = 14 * 24 * 3_600
# The workers delete what no playlist names any more; this catches what they have missed. The longest window is 12 h.
# Only segments carry the tag. Playlists must not expire: a multivariant one may stay as it is for as long as its stream
# runs, and a paused stream's tell where its numbers go on.
SEGMENT_DAYS = 2
LOG_DAYS = 30

# name -> (hash key, range key or None, {index: (hash key, range key)}, time-to-live attribute or None)
# All keys are strings but those in NUMBERS.
TABLES: dict[str, tuple[str, str | None, dict[str, tuple[str, str]], str | None]] = {
    "users": ("user_id", None, {}, None),
    "wallets": ("user_id", None, {}, None),
    "ledger": ("user_id", "first_version", {}, None),
    "payments": ("payment_id", None, {}, None),
    "streams": ("stream_id", None, {}, None),
    "stream_runtime": ("stream_id", None, {}, None),
    "workers": ("worker_id", None, {}, "expires_at_s"),
    "playback_sessions": (
        "session_id",
        None,
        {
            "by_user": ("user_id", "started_at_ms"),
            "by_stream": ("stream_id", "started_at_ms"),
            # The next two are sparse: their hash keys are removed when a session ends.
            "active_by_stream": ("active_stream_id", "started_at_ms"),
            "by_due": ("due_shard", "due_ms"),
            # Sparse too: ended sessions that are not reconciled yet.
            "by_reconcile": ("reconcile_shard", "reconcile_at_ms"),
        },
        None,
    ),
    # Places of streams with a limit of viewers, the ports that streams listen at for SRT, token buckets.
    "limits": ("limit_id", None, {}, "expires_at_s"),
    # What was served: a row a session and a day.
    "usage": ("session_id", None, {}, "expires_at_s"),
    # What was served against what was paid, by the UTC day of a session's end; those that differ have an index.
    "reconciliation": ("day", "session_id", {"disagreeing_by_day": ("disagreeing_day", "session_id")}, None),
    # What operators have done, by month; of accounts and by operators there is an index each.
    "audit": (
        "month",
        "audit_id",
        {"by_user": ("user_id", "audit_id"), "by_operator": ("by_user_id", "audit_id")},
        "expires_at_s",
    ),
    # Addresses and user agents of who watches and of operators, for as long as `TOLLCAST_ADDRESS_DAYS` says.
    "clients": ("client_id", None, {"by_user": ("user_id", "client_id")}, "expires_at_s"),
    # Counters of the functions and of the gateways by minute, of streams by hour.
    "metrics": ("minute", "shard", {}, "expires_at_s"),
    "migrations": ("migration_id", None, {}, None),
}
NUMBERS = {"first_version", "started_at_ms", "due_shard", "due_ms", "reconcile_shard", "reconcile_at_ms", "minute"}


def media_lifecycle() -> dict[str, Any]:
    """The parameter `LifecycleConfiguration` of S3's PutBucketLifecycleConfiguration for the media bucket."""
    key, value = EXPIRES_TAG
    segments = {
        "ID": "expire-segments",
        "Filter": {"And": {"Prefix": "streams/", "Tags": [{"Key": key, "Value": value}]}},
        "Expiration": {"Days": SEGMENT_DAYS},
    }
    logs = {"ID": "expire-logs", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": LOG_DAYS}}
    unfinished = {
        "ID": "abort-unfinished-uploads",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    return {"Rules": [{**rule, "Status": "Enabled"} for rule in (segments, logs, unfinished)]}


def table_definition(prefix: str, name: str) -> dict[str, Any]:
    """The parameters of DynamoDB's CreateTable (and, but for tags, of `AWS::DynamoDB::Table`)."""
    hash_key, range_key, indexes, _ = TABLES[name]
    keys = [(hash_key, range_key), *indexes.values()]
    names = dict.fromkeys(key for pair in keys for key in pair if key)
    definition: dict[str, Any] = {
        "TableName": prefix + name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": "N" if key in NUMBERS else "S"} for key in names
        ],
        "KeySchema": _key_schema(hash_key, range_key),
    }
    if indexes:
        definition["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": _key_schema(*pair), "Projection": {"ProjectionType": "ALL"}}
            for index, pair in indexes.items()
        ]
    return definition


def _key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key:
        schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return schema
