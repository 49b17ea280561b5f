"""The roles of the parts that run in containers, for ECS tasks: each role has the permissions that its code needs.

The functions' policies are in `.chalice/`. nginx and the ingest have no role, since they call the endpoints, not AWS.
"""

from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            # ECS sends the account of its task, so tasks of other accounts are refused.
            "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        }
    ],
}


def task_roles() -> dict[str, Any]:
    """Return the template's resources: a role for each part."""
    policies = {"Worker": _worker(), "Endpoints": _endpoints(), "Usage": _usage(), "Refusals": _refusals()}
    return {f"{part}Role": _role(statements) for part, statements in policies.items()}


def task_role_outputs() -> dict[str, Any]:
    """Return the template's outputs: the value of `taskRoleArn` in task definitions."""
    return {f"{name}Arn": {"Value": {"Fn::GetAtt": [name, "Arn"]}} for name in task_roles()}


def _worker() -> list[dict[str, Any]]:
    """Return the statements for `python -m worker`."""
    return [
        _on_table("streams", "GetItem", "Scan"),
        _on_table("stream_runtime", "GetItem", "UpdateItem"),
        _on_table("workers", "PutItem", "DeleteItem"),
        _on_table("ingest_issues", "PutItem", "DeleteItem", "Query"),
        # Lifecycle rules select segments by their tags.
        _on_objects("streams/*", "GetObject", "PutObject", "PutObjectTagging", "DeleteObject"),
        _on_objects("logs/*", "GetObject", "PutObject"),
        # Without it, S3 answers 403 instead of 404 for a missing playlist.
        _allow("s3", ["ListBucket"], "arn:${AWS::Partition}:s3:::${MediaBucket}"),
        _allow(
            "sqs",
            ["GetQueueUrl", "ReceiveMessage", "DeleteMessage", "SendMessage"],
            "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${WorkQueue}",
        ),
    ]


def _endpoints() -> list[dict[str, Any]]:
    """Return the statements for `gateway.endpoints`. A signature permits what its signer may do."""
    return [
        *(_on_table(table, "GetItem") for table in ("wallets", "playback_sessions", "streams")),
        # The client that a session's media is bound to, on streams that require it.
        _on_table("clients", "GetItem", "PutItem", "UpdateItem"),
        _on_objects("streams/*", "GetObject"),
        _allow(
            "secretsmanager",
            ["GetSecretValue"],
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${TokenSecret}-*",
        ),
    ]


def _usage() -> list[dict[str, Any]]:
    """Return the statements for `gateway.usage`, which only updates counters."""
    return [_on_table(table, "UpdateItem") for table in ("usage", "metrics")]


def _refusals() -> list[dict[str, Any]]:
    """Return the statements for `gateway.ingest`, which appends to its own objects."""
    return [
        _on_objects("logs/ingest/*", "GetObject", "PutObject"),
        # Without it, S3 answers 403 instead of 404 for a missing object.
        _allow("s3", ["ListBucket"], "arn:${AWS::Partition}:s3:::${MediaBucket}"),
    ]


def _on_table(table: str, *actions: str) -> dict[str, Any]:
    arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/tollcast-${Stage}-"
    return _allow("dynamodb", actions, arn + table)


def _on_objects(pattern: str, *actions: str) -> dict[str, Any]:
    return _allow("s3", actions, "arn:${AWS::Partition}:s3:::${MediaBucket}/" + pattern)


def _allow(service: str, actions: tuple[str, ...] | list[str], resource: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": {"Fn::Sub": resource},
    }


def _role(statements: list[dict[str, Any]]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": statements}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [{"PolicyName": "own", "PolicyDocument": document}],
        },
    }
