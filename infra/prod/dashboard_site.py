"""The dashboard at CloudFront: a private bucket of built files, the function that maps addresses, and the headers."""

from pathlib import Path
from typing import Any

from gateway.nginx.dashboard import CONTENT_SECURITY_POLICY, HEADERS

FUNCTION = Path(__file__).resolve().parents[2] / "gateway" / "edge" / "dashboard_request.js"
# CloudFront's own policies, the same in every account.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
HSTS_S = 63_072_000
BUCKET_NAME = {"Fn::Sub": "tollcast-${Stage}-dashboard-${AWS::AccountId}"}
BUCKET = {"Fn::Sub": "arn:${AWS::Partition}:s3:::tollcast-${Stage}-dashboard-${AWS::AccountId}"}
FILES = {"Fn::Sub": "arn:${AWS::Partition}:s3:::tollcast-${Stage}-dashboard-${AWS::AccountId}/admin/*"}
OBJECTS = {"Fn::Sub": "arn:${AWS::Partition}:s3:::tollcast-${Stage}-dashboard-${AWS::AccountId}/*"}
DISTRIBUTION = {"Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}


def resources() -> dict[str, Any]:
    """Return the template's resources, by name."""
    return {
        "DashboardBucket": _bucket(),
        "DashboardBucketPolicy": _bucket_policy(),
        "DashboardAccess": _cloudfront(
            "OriginAccessControl",
            OriginAccessControlConfig={
                "Name": {"Fn::Sub": "tollcast-${Stage}-dashboard"},
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            },
        ),
        "DashboardRule": _cloudfront(
            "Function",
            Name={"Fn::Sub": "tollcast-${Stage}-dashboard"},
            AutoPublish=True,
            FunctionCode=FUNCTION.read_text(),
            FunctionConfig={
                "Comment": "Which file of the dashboard is at this address?",
                "Runtime": "cloudfront-js-2.0",
            },
        ),
        "DashboardHeaders": _headers(),
    }


def origin() -> dict[str, Any]:
    """Return the distribution's origin."""
    return {
        "Id": "dashboard",
        "DomainName": {"Fn::GetAtt": ["DashboardBucket", "RegionalDomainName"]},
        "OriginAccessControlId": {"Fn::GetAtt": ["DashboardAccess", "Id"]},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


def behaviors() -> list[dict[str, Any]]:
    """Return the distribution's cache behaviors: hashed files are kept at the edges, the page is not."""
    function = {"Fn::GetAtt": ["DashboardRule", "FunctionARN"]}
    common = {
        "TargetOriginId": "dashboard",
        "ViewerProtocolPolicy": "https-only",
        "AllowedMethods": ["GET", "HEAD"],
        "Compress": True,
        "ResponseHeadersPolicyId": {"Ref": "DashboardHeaders"},
        "FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": function}],
    }
    return [
        {"PathPattern": "/admin/assets/*", **common, "CachePolicyId": CACHING_OPTIMIZED},
        *({"PathPattern": path, **common, "CachePolicyId": CACHING_DISABLED} for path in ("/admin", "/admin/*")),
    ]


def _bucket() -> dict[str, Any]:
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "BucketName": BUCKET_NAME,
            "PublicAccessBlockConfiguration": dict.fromkeys(blocked, True),
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        },
    }


def _bucket_policy() -> dict[str, Any]:
    cloudfront = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Condition": {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}},
    }
    statements = [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [BUCKET, OBJECTS],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {"Sid": "FilesForTheDistribution", "Action": "s3:GetObject", "Resource": [FILES], **cloudfront},
        # Without it, S3 answers 403 instead of 404 for a missing file.
        {"Sid": "MissingFilesAreNotFound", "Action": "s3:ListBucket", "Resource": [BUCKET], **cloudfront},
    ]
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "DashboardBucket"},
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
        },
    }


def _headers() -> dict[str, Any]:
    """Return the policy with the headers that nginx sends. The objects' metadata has Cache-Control."""
    custom = [
        {"Header": name, "Value": value, "Override": True}
        for name, value in HEADERS.items()
        if name != "Content-Security-Policy"
    ]
    removed = ("x-amz-server-side-encryption", "x-amz-version-id", "Server")
    return _cloudfront(
        "ResponseHeadersPolicy",
        ResponseHeadersPolicyConfig={
            "Name": {"Fn::Sub": "tollcast-${Stage}-dashboard"},
            "CustomHeadersConfig": {"Items": custom},
            "RemoveHeadersConfig": {"Items": [{"Header": header} for header in removed]},
            "SecurityHeadersConfig": {
                "ContentSecurityPolicy": {"ContentSecurityPolicy": CONTENT_SECURITY_POLICY, "Override": True},
                "ContentTypeOptions": {"Override": True},
                "ReferrerPolicy": {"ReferrerPolicy": "no-referrer", "Override": True},
                "StrictTransportSecurity": {"AccessControlMaxAgeSec": HSTS_S, "Override": True},
            },
        },
    )


def _cloudfront(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::CloudFront::{kind}", "Properties": properties}
