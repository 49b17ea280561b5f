"""The media bucket in AWS: private, reached over TLS only, readable by one distribution and the parts' roles."""

from typing import Any

from infra.schema import media_lifecycle

OBJECTS = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${MediaBucket}/*"}
STREAMS = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${MediaBucket}/streams/*"}
BUCKET = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${MediaBucket}"}
DISTRIBUTION = {"Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}


def bucket() -> dict[str, Any]:
    """Return the bucket, which is retained when its stack is deleted."""
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": {"Ref": "MediaBucket"},
            "PublicAccessBlockConfiguration": dict.fromkeys(blocked, True),
            # No access lists: only policies grant access.
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "LifecycleConfiguration": {"Rules": [_rule(rule) for rule in media_lifecycle()["Rules"]]},
        },
    }


def bucket_policy() -> dict[str, Any]:
    """Return the policy: deny requests without TLS, and let only this distribution read streams."""
    without_tls = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, OBJECTS],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    distribution = {
        "Sid": "StreamsForTheDistribution",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": [STREAMS],
        "Condition": {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}},
    }
    document = {"Version": "2012-10-17", "Statement": [without_tls, distribution]}
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "MediaBucketItself"}, "PolicyDocument": document},
    }


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule of S3's API in the form of CloudFormation."""
    conditions = rule["Filter"].get("And", rule["Filter"])
    converted: dict[str, Any] = {"Id": rule["ID"], "Status": rule["Status"], "Prefix": conditions["Prefix"]}
    if "Expiration" in rule:
        converted["ExpirationInDays"] = rule["Expiration"]["Days"]
    if "AbortIncompleteMultipartUpload" in rule:
        converted["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return converted
