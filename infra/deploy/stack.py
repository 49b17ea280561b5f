"""Deploy the packaged functions as a CloudFormation stack."""

import json
from pathlib import Path

from chalicelib.adapters.aws import client
from chalicelib.config import Settings
from chalicelib.setting_types import as_text
from infra.deploy.template import PARAMETERS

WAIT_SECONDS_BETWEEN, WAITS_MAX = 2, 60


def deploy(template: Path, settings: Settings, code_bucket: str) -> dict[str, str]:
    """Upload code and template, create the stage's stack and return its outputs. Raise botocore's `WaiterError`."""
    code_key = f"functions/{settings.stage}.zip"
    template_key = f"functions/{settings.stage}.json"
    store = client("s3")
    store.put_object(Bucket=code_bucket, Key=code_key, Body=template.with_name("functions.zip").read_bytes())
    store.put_object(Bucket=code_bucket, Key=template_key, Body=json.dumps(json.loads(template.read_text())).encode())
    name = f"tollcast-{settings.stage}"
    parameters = {**setting_parameters(settings), "CodeBucket": code_bucket, "CodeKey": code_key}
    formation = client("cloudformation")
    formation.create_stack(
        StackName=name,
        # A template in the request may have 51,200 bytes only, one in a bucket more.
        TemplateURL=f"{store.meta.endpoint_url}/{code_bucket}/{template_key}",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    waiter = formation.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": WAIT_SECONDS_BETWEEN, "MaxAttempts": WAITS_MAX})
    [stack] = formation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def setting_parameters(settings: Settings) -> dict[str, str]:
    """Return the template's parameters for these settings."""
    return {name: as_text(getattr(settings, setting.field)) for name, setting in PARAMETERS.items()}
