"""The tables, queues and lifecycle rules, for the local platform, the tests and the CloudFormation resources.

The attributes of a table beyond its keys are described in the adapter that writes them, in `chalicelib/adapters/`.
"""

from typing import Any

from chalicelib.adapters.streams.s3_media import EXPIRES_TAG
from chalicelib.adapters.streams.sqs_work import DEAD_QUEUE_SUFFIX as DEAD_QUEUE_SUFFIX

QUEUE_VISIBILITY_S = 30
QUEUE_RECEIVES_MAX = 5
QUEUE_RETENTION_S = 3_600
DEAD_QUEUE_RETENTION_S = 14 * 24 * 3_600
# Workers delete segments that no playlist names any more. This rule deletes the others. The longest window is 12 h.
# Only segments have the tag. Playlists must not expire: a multivariant playlist may stay unchanged while its stream
# runs, and those of a paused stream have the number at which it continues.
SEGMENT_DAYS = 2
LOG_DAYS = 30

# (hash key, range key) of an index with all attributes, or (hash key, range key, attributes): beside the keys it has
# only these, so a write that changes none of them does not write the index.
Index = tuple[str, str] | tuple[str, str, tuple[str, ...]]
KEYS_ONLY: tuple[str, ...] = ()
# name -> (hash key, range key or None, {index: its form}, time-to-live attribute or None)
# All keys are strings, except those in NUMBERS.
TABLES: dict[str, tuple[str, str | None, dict[str, Index], str | None]] = {
    # The index is narrow, since every login and refresh writes the account.
    "users": (
        "user_id",
        None,
        {"by_email": ("list_key", "email_key", ("email", "role", "disabled", "created_at_ms"))},
        None,
    ),
    # Credentials of programs. Expired and revoked ones stay as long as the audit log may name them.
    "service_keys": ("key_id", None, {}, "expires_at_s"),
    "wallets": ("user_id", None, {}, None),
    "ledger": ("user_id", "first_version", {}, None),
    "payments": (
        "payment_id",
        None,
        {
            "by_month": ("list_key", "list_order", KEYS_ONLY),
            "by_user": ("user_id", "list_order", KEYS_ONLY),
            "by_source": ("source", "list_order", KEYS_ONLY),
            "by_reference": ("reference_key", "payment_id", KEYS_ONLY),
        },
        None,
    ),
    "streams": ("stream_id", None, {}, None),
    "stream_runtime": ("stream_id", None, {}, None),
    # Open issues of sources, one of each type, and closed ones.
    "ingest_issues": ("stream_id", "issue_key", {}, "expires_at_s"),
    "workers": ("worker_id", None, {}, "expires_at_s"),
    "playback_sessions": (
        "session_id",
        None,
        {
            "by_user": ("user_id", "started_at_ms"),
            "by_stream": ("stream_id", "started_at_ms"),
            # The next two are sparse: a session's hash keys are removed when it ends.
            "active_by_stream": ("active_stream_id", "started_at_ms"),
            "by_due": ("due_shard", "due_ms"),
            # This one is sparse too: it has ended sessions that are not reconciled yet.
            "by_reconcile": ("reconcile_shard", "reconcile_at_ms"),
            # Active sessions by shard and start, ended ones by the month and reason of their end.
            "by_state": ("list_key", "list_order", KEYS_ONLY),
        },
        None,
    ),
    # Places on streams with a limit of viewers, ports of streams that listen for SRT, token buckets.
    "limits": ("limit_id", None, {}, "expires_at_s"),
    # The media that was served: one row for each session and day.
    "usage": ("session_id", None, {}, "expires_at_s"),
    # The comparison of payment and delivery, by the UTC day of a session's end. Differences have an index.
    "reconciliation": ("day", "session_id", {"disagreeing_by_day": ("disagreeing_day", "session_id")}, None),
    # Money by UTC month, day and shard.
    "totals": ("month", "day_shard", {}, None),
    # The audit log by month, with an index by account and one by operator.
    "audit": (
        "month",
        "audit_id",
        {"by_user": ("user_id", "audit_id"), "by_operator": ("by_user_id", "audit_id")},
        "expires_at_s",
    ),
    # Addresses and user agents of viewers and operators, for `TOLLCAST_ADDRESS_DAYS`.
    "clients": ("client_id", None, {"by_user": ("user_id", "client_id")}, "expires_at_s"),
    # Counters of the functions and gateways by minute, of streams by hour.
    "metrics": ("minute", "shard", {}, "expires_at_s"),
    # Who may not start a session on a stream, or on any, until when.
    "blocks": ("user_id", "scope", {"by_until": ("listed", "until_ms")}, "expires_at_s"),
    # Time series by scope and step, some slots in a row.
    "series": ("series_id", "first_slot", {}, "expires_at_s"),
    # Error responses of the functions by code and route.
    "errors": ("status_class", "error_id", {}, "expires_at_s"),
    "migrations": ("migration_id", None, {}, None),
}
NUMBERS = {
    "first_version",
    "started_at_ms",
    "due_shard",
    "due_ms",
    "reconcile_shard",
    "reconcile_at_ms",
    "minute",
    "until_ms",
    "first_slot",
}


def media_lifecycle() -> dict[str, Any]:
    """Return `LifecycleConfiguration` of S3's PutBucketLifecycleConfiguration for the media bucket."""
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
    """Return the parameters of DynamoDB's CreateTable. Without tags, they are those of `AWS::DynamoDB::Table`."""
    hash_key, range_key, indexes, _ = TABLES[name]
    definition: dict[str, Any] = {
        "TableName": prefix + name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": key_attributes((hash_key, range_key), *indexes.values()),
        "KeySchema": _key_schema(hash_key, range_key),
    }
    if indexes:
        definition["GlobalSecondaryIndexes"] = [index_definition(name, index) for index in indexes]
    return definition


def key_attributes(*keys: tuple[Any, ...]) -> list[dict[str, str]]:
    """Return `AttributeDefinitions` of the hash and range keys of tables and indexes."""
    names = dict.fromkeys(key for hash_key, range_key, *_ in keys for key in (hash_key, range_key) if key)
    return [{"AttributeName": key, "AttributeType": "N" if key in NUMBERS else "S"} for key in names]


def index_definition(table: str, index: str) -> dict[str, Any]:
    """Return an index of a table as an element of `GlobalSecondaryIndexes`."""
    hash_key, range_key, *projected = TABLES[table][2][index]
    projection: dict[str, Any] = {"ProjectionType": "ALL"}
    if projected:
        attributes = [str(each) for each in projected[0]]
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": attributes}
        if not attributes:
            projection = {"ProjectionType": "KEYS_ONLY"}
    return {"IndexName": index, "KeySchema": _key_schema(hash_key, range_key), "Projection": projection}


def _key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key:
        schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return schema
