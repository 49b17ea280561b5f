"""The functions' template: who may write denials to the edges, and with what."""

from typing import Any

from infra.deploy.template import AT_THE_EDGE, SIGNER, parametrized


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
