"""The CloudFormation template: Chalice's functions, and the roles of the parts that run in containers.

The settings of a stage are its parameters.
"""

import copy
from typing import Any

from chalicelib.settings_table import SETTINGS, Part
from infra.deploy.task_roles import task_role_outputs, task_roles

# A function has no directory in common with nginx.
PARAMETERS = {each.parameter: each for each in SETTINGS[Part.STAGE] if each.name != "TOLLCAST_DENYLIST_DIR"}
CODE = ("CodeBucket", "CodeKey")
# The ARN of a Lambda layer with the package awscrt, which signs requests to CloudFront's KeyValueStore. It has the size
# of all other packages together and is needed only with a DenylistStore, so it is not packaged with the functions.
SIGNER = "SignerLayer"
AT_THE_EDGE = "DenylistIsAtTheEdge"
AUTHORIZER = "app.play_token"
PROBLEM_JSON = "application/problem+json"


def parametrized(packed: dict[str, Any]) -> dict[str, Any]:
    """Return Chalice's template with parameters, task roles, and API Gateway's errors as problem documents."""
    template = copy.deepcopy(packed)
    template["Parameters"] = {name: {"Type": "String"} for name in CODE}
    template["Parameters"][SIGNER] = {"Type": "String", "Default": ""}
    for name, setting in PARAMETERS.items():
        default = {} if setting.default is None else {"Default": ""}
        template["Parameters"][name] = {"Type": "String", "Description": setting.meaning, **default}
    template["Conditions"] = {AT_THE_EDGE: {"Fn::Not": [{"Fn::Equals": [{"Ref": "DenylistStore"}, ""]}]}}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            resource["Properties"]["Policies"] = _substituted(resource["Properties"]["Policies"])
    template["Resources"] |= task_roles()
    template["Outputs"] |= task_role_outputs()
    variables = {setting.name: {"Ref": name} for name, setting in PARAMETERS.items()}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": {"Ref": "CodeBucket"}, "Key": {"Ref": "CodeKey"}}
            resource["Properties"]["Environment"] = {"Variables": variables}
    _allow_denials(template["Resources"])
    api = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    api["info"]["description"] = "Pay-as-you-watch live streaming."
    api["x-amazon-apigateway-gateway-responses"] = gateway_responses()
    return template


def _allow_denials(resources: dict[str, Any]) -> None:
    """Let all functions except the authorizer write denials to the edges' store, if there is one."""
    functions = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]
    denying = [each for each in functions if each["Handler"] != AUTHORIZER]
    for function in denying:
        function["Layers"] = {"Fn::If": [AT_THE_EDGE, [{"Ref": SIGNER}], {"Ref": "AWS::NoValue"}]}
    actions = ("DescribeKeyValueStore", "GetKey", "ListKeys", "UpdateKeys")
    statement = {
        "Effect": "Allow",
        "Action": [f"cloudfront-keyvaluestore:{action}" for action in actions],
        "Resource": {"Ref": "DenylistStore"},
    }
    resources["DenylistPolicy"] = {
        "Type": "AWS::IAM::Policy",
        "Condition": AT_THE_EDGE,
        "Properties": {
            "PolicyName": "denylist",
            "Roles": [{"Ref": name} for name in sorted({each["Role"]["Fn::GetAtt"][0] for each in denying})],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }


def _substituted(value: Any) -> Any:
    """Return a policy in which texts with parameters, as `${Stage}`, are substitutions."""
    if isinstance(value, dict):
        return {key: _substituted(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_substituted(part) for part in value]
    return {"Fn::Sub": value} if isinstance(value, str) and "${" in value else value


def gateway_responses() -> dict[str, Any]:
    """Return API Gateway's own errors as problem documents. A denied play token has the authorizer's reason."""
    return {
        "ACCESS_DENIED": _response(403, "$context.authorizer.code", "$context.authorizer.detail"),
        "UNAUTHORIZED": _response(401, "token_invalid", "Send a play token in the header Authorization."),
        "MISSING_AUTHENTICATION_TOKEN": _response(404, "not_found", "There is nothing at this address."),
        "RESOURCE_NOT_FOUND": _response(404, "not_found", "There is nothing at this address."),
        "REQUEST_TOO_LARGE": _response(413, "body_too_large", "The body is too large. Send a smaller one."),
        "THROTTLED": _response(429, "too_many_requests", "There were too many requests. Try again in a moment."),
        "DEFAULT_5XX": _response(None, "unavailable", "The service is unavailable. Try again."),
    }


def _response(status: int | None, code: str, detail: str) -> dict[str, Any]:
    body = (
        f'{{"type": "urn:tollcast:problem:{code}", "title": "$context.error.responseType", '
        f'"status": {status or 503}, "detail": "{detail}", "code": "{code}"}}'
    )
    response: dict[str, Any] = {
        "responseTemplates": {"application/json": body},
        "responseParameters": {"gatewayresponse.header.Content-Type": f"'{PROBLEM_JSON}'"},
    }
    if status:
        response["statusCode"] = str(status)
    return response
