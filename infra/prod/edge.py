"""Print the CloudFormation template of the edge: `python -m infra.prod.edge`.

The template was tested as data and never deployed. CloudFront is in front of everything: it fetches segments from the
private bucket, whose objects only this distribution may read, the dashboard from another one, and all other paths from
the API.
`gateway/edge/viewer_request.js` authorizes every request for media before any cache.
"""

import json
from pathlib import Path
from typing import Any

from infra.prod import dashboard_site
from infra.prod.dashboard_site import CACHING_DISABLED
from infra.prod.media_bucket import bucket, bucket_policy

FUNCTION = Path(__file__).resolve().parents[2] / "gateway" / "edge" / "viewer_request.js"
FUNCTION_BYTES_MAX = 10_240
# A segment never changes, and its key has its stream's name and no viewer's.
SEGMENT_CACHE_S = 600
VIEWER_CACHE_CONTROL = "private, max-age=300"
# A missing segment may be published soon.
ERROR_CACHE_S = 1
# CloudFront's own policy, the same in every account.
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
READ, ALL = ["GET", "HEAD"], ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
PARAMETERS = {
    "Stage": "The stage, as in TOLLCAST_STAGE",
    "MediaBucket": "The name of the media bucket, which this stack makes",
    "ApiHost": "The host of the functions' API, <id>.execute-api.<region>.amazonaws.com",
    "HostName": "The name under which viewers find it",
    "CertificateArn": "A certificate for that name, in us-east-1",
}


def template() -> dict[str, Any]:
    """Return the template. Its outputs are parameters of the functions' stack."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Tollcast: CloudFront in front of the functions and the media bucket.",
        "Parameters": {name: {"Type": "String", "Description": text} for name, text in PARAMETERS.items()},
        "Resources": {
            "MediaBucketItself": bucket(),
            "MediaBucketPolicy": bucket_policy(),
            "AccessStore": _resource("KeyValueStore", Name=_named("access"), Comment="Play keys and denials"),
            "AccessRule": _function(),
            "MediaAccess": _resource(
                "OriginAccessControl",
                OriginAccessControlConfig={
                    "Name": _named("media"),
                    "OriginAccessControlOriginType": "s3",
                    # "always", so that CloudFront never forwards a viewer's signature.
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                },
            ),
            "SegmentCache": _segment_cache(),
            "SegmentHeaders": _segment_headers(),
            **dashboard_site.resources(),
            "Distribution": _resource("Distribution", DistributionConfig=_distribution()),
        },
        "Outputs": {
            "DistributionDomain": {"Value": {"Fn::GetAtt": ["Distribution", "DomainName"]}},
            # The argument of infra.deploy.dashboard.
            "DashboardBucketName": {"Value": {"Ref": "DashboardBucket"}},
            # TOLLCAST_DENYLIST_STORE of the functions.
            "DenylistStore": {"Value": {"Fn::GetAtt": ["AccessStore", "Arn"]}},
        },
    }


def _function() -> dict[str, Any]:
    store = {"KeyValueStoreARN": {"Fn::GetAtt": ["AccessStore", "Arn"]}}
    return _resource(
        "Function",
        Name=_named("access"),
        AutoPublish=True,
        FunctionCode=FUNCTION.read_text(),
        FunctionConfig={
            "Comment": "May this play token fetch this media now?",
            "Runtime": "cloudfront-js-2.0",
            "KeyValueStoreAssociations": [store],
        },
    )


def _segment_cache() -> dict[str, Any]:
    none = {"CookieBehavior": "none"}, {"HeaderBehavior": "none"}, {"QueryStringBehavior": "none"}
    return _resource(
        "CachePolicy",
        CachePolicyConfig={
            "Name": _named("segments"),
            "MinTTL": 0,
            "DefaultTTL": SEGMENT_CACHE_S,
            "MaxTTL": SEGMENT_CACHE_S,
            # The cache key is the object's key alone, so all viewers of a stream share one object.
            "ParametersInCacheKeyAndForwardedToOrigin": {
                **dict(zip(("CookiesConfig", "HeadersConfig", "QueryStringsConfig"), none, strict=True)),
                "EnableAcceptEncodingGzip": False,
                "EnableAcceptEncodingBrotli": False,
            },
        },
    )


def _segment_headers() -> dict[str, Any]:
    removed = ("x-amz-meta-media-ms", "x-amz-server-side-encryption", "x-amz-version-id", "Server")
    cache_control = {"Header": "Cache-Control", "Value": VIEWER_CACHE_CONTROL, "Override": True}
    return _resource(
        "ResponseHeadersPolicy",
        ResponseHeadersPolicyConfig={
            "Name": _named("segments"),
            "CustomHeadersConfig": {"Items": [cache_control]},
            "RemoveHeadersConfig": {"Items": [{"Header": header} for header in removed]},
            "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}},
        },
    )


def _distribution() -> dict[str, Any]:
    function = {"Fn::GetAtt": ["AccessRule", "FunctionARN"]}
    authorized = {"FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": function}]}
    to_api = {"CachePolicyId": CACHING_DISABLED, "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST}
    segments = {"CachePolicyId": {"Ref": "SegmentCache"}, "ResponseHeadersPolicyId": {"Ref": "SegmentHeaders"}}
    return {
        "Enabled": True,
        "Comment": {"Fn::Sub": "tollcast ${Stage}"},
        "Aliases": [{"Ref": "HostName"}],
        "HttpVersion": "http2and3",
        "ViewerCertificate": {
            "AcmCertificateArn": {"Ref": "CertificateArn"},
            "MinimumProtocolVersion": "TLSv1.2_2021",
            "SslSupportMethod": "sni-only",
        },
        "Origins": [_media_origin(), _api_origin(), dashboard_site.origin()],
        # Only the first behavior below /play/ reaches the bucket of the media.
        "CacheBehaviors": [
            *dashboard_site.behaviors(),
            {"PathPattern": "/play/*.ts", **_behavior("media", READ), **segments, **authorized},
            {"PathPattern": "/play/*", **_behavior("api", READ), **to_api, **authorized},
        ],
        "DefaultCacheBehavior": {**_behavior("api", ALL), **to_api},
        "CustomErrorResponses": [
            {"ErrorCode": status, "ErrorCachingMinTTL": ERROR_CACHE_S} for status in (403, 404, 500, 502, 503, 504)
        ],
    }


def _media_origin() -> dict[str, Any]:
    return {
        "Id": "media",
        "DomainName": {"Fn::GetAtt": ["MediaBucketItself", "RegionalDomainName"]},
        "OriginAccessControlId": {"Fn::GetAtt": ["MediaAccess", "Id"]},
        # The predecessor of access controls. It is required, and empty.
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


def _api_origin() -> dict[str, Any]:
    tls_only = {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]}
    return {"Id": "api", "DomainName": {"Ref": "ApiHost"}, "OriginPath": "/api", "CustomOriginConfig": tls_only}


def _behavior(origin: str, methods: list[str]) -> dict[str, Any]:
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "https-only",
        "AllowedMethods": methods,
        "Compress": False,
    }


def _named(part: str) -> dict[str, str]:
    return {"Fn::Sub": f"tollcast-${{Stage}}-{part}"}


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::CloudFront::{kind}", "Properties": properties}


if __name__ == "__main__":
    print(json.dumps(template(), indent=1))
