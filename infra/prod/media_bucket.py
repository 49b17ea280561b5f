"""The media bucket in AWS: private, reached over TLS only, read by one distribution and by who has a role for it."""

from typing import Any

from infra.schema import media_lifecycle

OBJECTS = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${MediaBucket}/*"}
STREAMS = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${MediaBucket}/streams/*"}
BUCKET = {"Fn::Sub": "arn:${AWS::Partition}:s3:::${MediaBucket}"}
DISTRIBUTION = {"Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}


def bucket() -> dict[str, Any]:
    """The bucket, which stays when its stack goes."""
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": {"Ref": "MediaBucket"},
            "PublicAccessBlockConfiguration": dict.fromkeys(blocked, True),
            # No access lists at all: policies alone say who may do what.
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "LifecycleConfiguration": {"Rules": [_rule(rule) for rule in media_lifecycle()["Rules"]]},
        },
    }


def bucket_policy() -> dict[str, Any]:
    """Nothing without TLS; streams for the distribution, and for no other distribution of anybody."""
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
    """A rule of S3's API in CloudFormation's words."""
    conditions = rule["Filter"].get("And", rule["Filter"])
    words: dict[str, Any] = {"Id": rule["ID"], "Status": rule["Status"], "Prefix": conditions["Prefix"]}
    if "ObjectSizeGreaterThan" in conditions:
        # CloudFormation takes sizes as texts.
        words["ObjectSizeGreaterThan"] = str(conditions["ObjectSizeGreaterThan"])
    if "Expiration" in rule:
        words["ExpirationInDays"] = rule["Expiration"]["Days"]
    if "AbortIncompleteMultipartUpload" in rule:
        words["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    return words
