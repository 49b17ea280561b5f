"""The template of the edge as data: who may read the bucket, and that every path to it is authorized."""

import json
from typing import Any

import pytest

from chalicelib.adapters.access import keyvalue_denylist
from chalicelib.adapters.access.edge_keys import KEY_PREFIX
from infra.deploy.template import AT_THE_EDGE, SIGNER, parametrized
from infra.prod import edge
from infra.schema import media_lifecycle

TEMPLATE = json.loads(json.dumps(edge.template()))
RESOURCES = TEMPLATE["Resources"]
DISTRIBUTION = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
PLAYED = [each for each in DISTRIBUTION["CacheBehaviors"] if each["PathPattern"].startswith("/play/")]
JUDGED = [{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["AccessRule", "FunctionARN"]}}]
PSEUDO = ("AWS::Partition", "AWS::AccountId")


def names_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(names_in, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        return {value["Ref"]}
    if "Fn::GetAtt" in value:
        return {value["Fn::GetAtt"][0]}
    if "Fn::Sub" in value:
        return {part.split("}")[0] for part in value["Fn::Sub"].split("${")[1:]}
    return set().union(*map(names_in, value.values())) if value else set()


def test_everything_that_is_referred_to_is_there_and_every_parameter_is_used() -> None:
    named = names_in([RESOURCES, TEMPLATE["Outputs"]])
    assert named <= {*RESOURCES, *TEMPLATE["Parameters"], *PSEUDO} and set(TEMPLATE["Parameters"]) <= named


def test_media_is_behind_the_access_rule_only() -> None:
    behaviors = [*DISTRIBUTION["CacheBehaviors"], DISTRIBUTION["DefaultCacheBehavior"]]
    media = [each for each in behaviors if each["TargetOriginId"] == "media"]
    assert [each["PathPattern"] for each in media] == ["/play/*.ts"]
    for each in PLAYED:
        assert each["FunctionAssociations"] == JUDGED
        assert each["AllowedMethods"] == ["GET", "HEAD"]
    assert {each["ViewerProtocolPolicy"] for each in behaviors} == {"https-only"}
    # The first that fits counts.
    assert [each["PathPattern"] for each in DISTRIBUTION["CacheBehaviors"]][-1] == "/play/*"


def test_playlists_are_never_kept_and_segments_are_kept_for_all_viewers_alike() -> None:
    segments, playlists = PLAYED
    assert playlists["CachePolicyId"] == edge.CACHING_DISABLED == DISTRIBUTION["DefaultCacheBehavior"]["CachePolicyId"]
    assert segments["CachePolicyId"] == {"Ref": "SegmentCache"}
    key = RESOURCES["SegmentCache"]["Properties"]["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    behaviors = [value for config in key.values() if isinstance(config, dict) for value in config.values()]
    assert behaviors == ["none", "none", "none"]


def test_the_bucket_is_private() -> None:
    bucket = RESOURCES["MediaBucketItself"]
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert (len(bucket["Properties"]["PublicAccessBlockConfiguration"]), bucket["DeletionPolicy"]) == (4, "Retain")
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert [rule["Id"] for rule in rules] == [rule["ID"] for rule in media_lifecycle()["Rules"]]
    assert [rule.get("ExpirationInDays") for rule in rules] == [2, 30, None]


def test_only_the_distribution_may_read_the_bucket_and_only_over_tls() -> None:
    denied, allowed = RESOURCES["MediaBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "s3:*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (allowed["Effect"], allowed["Action"]) == ("Allow", "s3:GetObject")
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "Distribution" in names_in(allowed["Condition"]["StringEquals"]["AWS:SourceArn"])
    assert [each["Fn::Sub"].rpartition("/")[0].rpartition("/")[2] for each in allowed["Resource"]] == ["streams"]
    control = RESOURCES["MediaAccess"]["Properties"]["OriginAccessControlConfig"]
    assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")


def test_the_function_is_the_one_that_is_tested_and_reads_the_store() -> None:
    function = RESOURCES["AccessRule"]["Properties"]
    assert function["FunctionCode"] == edge.FUNCTION.read_text()
    assert len(function["FunctionCode"].encode()) <= edge.FUNCTION_BYTES_MAX
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    [store] = function["FunctionConfig"]["KeyValueStoreAssociations"]
    assert names_in(store) == {"AccessStore"}


@pytest.mark.parametrize("prefix", [KEY_PREFIX, keyvalue_denylist.SESSION_PREFIX, keyvalue_denylist.STREAM_PREFIX])
def test_who_writes_and_who_reads_name_the_keys_alike(prefix: str) -> None:
    assert f"'{prefix}' + " in edge.FUNCTION.read_text()


def function(name: str, role: str) -> dict[str, Any]:
    properties = {"Handler": f"app.{name}", "Role": {"Fn::GetAtt": [role, "Arn"]}}
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def test_all_but_the_authorizer_may_deny_where_there_is_an_edge() -> None:
    roles = ("ApiRole", "AuthorizerRole", "ScheduleRole")
    packed = {
        "Resources": {
            "RestAPI": {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionBody": {"info": {}}}},
            **{name: {"Type": "AWS::IAM::Role", "Properties": {"Policies": []}} for name in roles},
            "Api": function("app", "ApiRole"),
            "Authorizer": function("play_token", "AuthorizerRole"),
            "Settle": function("settle_streams", "ScheduleRole"),
            "Reap": function("reap_sessions", "ScheduleRole"),
        }
    }
    packed["Outputs"] = {}
    template = parametrized(packed)
    resources = template["Resources"]
    policy = resources["DenylistPolicy"]
    assert policy["Condition"] == AT_THE_EDGE and AT_THE_EDGE in template["Conditions"]
    assert policy["Properties"]["Roles"] == [{"Ref": "ApiRole"}, {"Ref": "ScheduleRole"}]
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "DenylistStore"}
    assert all(action.startswith("cloudfront-keyvaluestore:") for action in statement["Action"])
    layered = [name for name, each in resources.items() if "Layers" in each["Properties"]]
    assert layered == ["Api", "Settle", "Reap"]
    assert resources["Api"]["Properties"]["Layers"]["Fn::If"][:2] == [AT_THE_EDGE, [{"Ref": SIGNER}]]
