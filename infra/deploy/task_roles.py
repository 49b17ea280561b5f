"""The roles of what runs in containers, for ECS tasks: each may do what its code does and nothing else.

The functions' policies are in `.chalice/`. nginx and the ingest have no role: they ask the endpoints, and never AWS.
"""

from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            # ECS says for whom it asks, so no other account's tasks get in; what does not say so is not ECS.
            "Condition": {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        }
    ],
}


def task_roles() -> dict[str, Any]:
    """The template's resources: a role for each part."""
    policies = {"Worker": _worker(), "Endpoints": _endpoints(), "Usage": _usage(), "Refusals": _refusals()}
    return {f"{part}Role": _role(statements) for part, statements in policies.items()}


def task_role_outputs() -> dict[str, Any]:
    """The template's outputs: what a task definition names as its `taskRoleArn`."""
    return {f"{name}Arn": {"Value": {"Fn::GetAtt": [name, "Arn"]}} for name in task_roles()}


def _worker() -> list[dict[str, Any]]:
    """`python -m worker`."""
    return [
        _on_table("streams", "GetItem", "Scan"),
        _on_table("stream_runtime", "GetItem", "UpdateItem"),
        _on_table("workers", "PutItem", "DeleteItem"),
        # Tags are what segments expire by.
        _on_objects("streams/*", "GetObject", "PutObject", "PutObjectTagging", "DeleteObject"),
        _on_objects("logs/*", "GetObject", "PutObject"),
        # Without it, S3 answers 403 for a playlist that is not there yet.
        _allow("s3", ["ListBucket"], "arn:${AWS::Partition}:s3:::${MediaBucket}"),
        _allow(
            "sqs",
            ["GetQueueUrl", "ReceiveMessage", "DeleteMessage", "SendMessage"],
            "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${WorkQueue}",
        ),
    ]


def _endpoints() -> list[dict[str, Any]]:
    """`gateway.endpoints`: authorize viewers and senders, and sign. A signature grants what its signer may do."""
    return [
        *(_on_table(table, "GetItem") for table in ("wallets", "playback_sessions", "streams")),
        # Whom a session's media is bound to, where its stream wants that.
        _on_table("clients", "GetItem", "PutItem", "UpdateItem"),
        _on_objects("streams/*", "GetObject"),
        _allow(
            "secretsmanager",
            ["GetSecretValue"],
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${TokenSecret}-*",
        ),
    ]


def _usage() -> list[dict[str, Any]]:
    """`gateway.usage`: it only ever adds."""
    return [_on_table(table, "UpdateItem") for table in ("usage", "metrics")]


def _refusals() -> list[dict[str, Any]]:
    """`gateway.ingest`: it adds to what it has stored itself."""
    return [
        _on_objects("logs/ingest/*", "GetObject", "PutObject"),
        # Without it, S3 answers 403 for an object that is not there yet.
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
