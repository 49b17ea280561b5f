"""The dashboard at CloudFront as data: addresses, headers, who may read the bucket, and the order of the upload."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters import aws
from gateway.nginx.dashboard import HEADERS
from infra.deploy import dashboard as deploy
from infra.prod import edge
from infra.prod.dashboard_site import CACHING_DISABLED, CACHING_OPTIMIZED, FUNCTION
from tests.cloudfront.edge import answers_of

RESOURCES = json.loads(json.dumps(edge.template()))["Resources"]
DISTRIBUTION = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
BEHAVIORS = [each for each in DISTRIBUTION["CacheBehaviors"] if each["TargetOriginId"] == "dashboard"]
SNIPPET = Path(edge.__file__).parents[2] / "gateway" / "nginx" / "snippets" / "dashboard_file.conf"


def answer(uri: str) -> dict[str, Any]:
    request = {"method": "GET", "uri": uri, "querystring": {"a": {"value": "1"}}, "headers": {}, "cookies": {}}
    case = {"event": {"request": request}, "store": {}, "silent": False, "now_ms": 0}
    return answers_of([case], FUNCTION)[0]


@pytest.mark.parametrize("path", ["", "streams", "streams/stream-1", "users/u_1/", "a.b/c", "no.such"])
def test_every_address_is_the_page(path: str) -> None:
    found = answer("/admin/" + path)
    assert (found["uri"], found["querystring"]) == ("/admin/index.html", {})


@pytest.mark.parametrize("uri", ["/admin/assets/index-A1b2_c3.js", "/admin/icon.svg", "/admin/index.html"])
def test_files_are_themselves(uri: str) -> None:
    assert answer(uri)["uri"] == uri


@pytest.mark.parametrize(
    "path", ["assets/", "assets/a/b.js", "assets/.x", ".env", "a/.env", "%2Eenv", "..%2fx", "assets/..%2f.x"]
)
def test_nothing_else_is_there(path: str) -> None:
    assert answer("/admin/" + path)["statusCode"] == 404


def test_the_address_without_a_slash_leads_to_the_page() -> None:
    found = answer("/admin")
    assert (found["statusCode"], found["headers"]["location"]["value"]) == (301, "/admin/")


def test_hashed_files_are_kept_and_the_page_is_not() -> None:
    kept = {each["PathPattern"]: each["CachePolicyId"] for each in BEHAVIORS}
    assert list(kept.items()) == [
        ("/admin/assets/*", CACHING_OPTIMIZED),
        ("/admin", CACHING_DISABLED),
        ("/admin/*", CACHING_DISABLED),
    ]
    for each in BEHAVIORS:
        assert (each["AllowedMethods"], each["ViewerProtocolPolicy"]) == (["GET", "HEAD"], "https-only")
        assert each["ResponseHeadersPolicyId"] == {"Ref": "DashboardHeaders"} and "OriginRequestPolicyId" not in each
        [function] = each["FunctionAssociations"]
        assert function["FunctionARN"] == {"Fn::GetAtt": ["DashboardRule", "FunctionARN"]}


def test_the_headers_are_those_of_nginx() -> None:
    config = RESOURCES["DashboardHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    found = {each["Header"]: each["Value"] for each in config["CustomHeadersConfig"]["Items"]}
    found["Content-Security-Policy"] = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert found == HEADERS
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer" and security["ContentTypeOptions"]["Override"]


def test_only_the_distribution_reads_the_bucket_and_only_over_tls() -> None:
    bucket = RESOURCES["DashboardBucket"]["Properties"]
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    denied, *allowed = RESOURCES["DashboardBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Action"], denied["Principal"]) == ("Deny", "s3:*", "*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert [each["Action"] for each in allowed] == ["s3:GetObject", "s3:ListBucket"]
    for each in allowed:
        assert each["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert "${Distribution}" in each["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]
    assert allowed[0]["Resource"][0]["Fn::Sub"].endswith("/admin/*")


class Bucket:
    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_object(self, **asked: Any) -> None:
        self.put.append(asked)


def test_the_page_is_uploaded_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "icon.svg", "index.html.gz", "assets/z.js", "assets/a.css", "assets/z.js.gz"):
        (tmp_path / name).write_text(name)
    bucket = Bucket()
    monkeypatch.setitem(aws.clients, "s3", bucket)
    assert deploy.upload(tmp_path, "b") == [
        "admin/assets/a.css",
        "admin/assets/z.js",
        "admin/icon.svg",
        "admin/index.html",
    ]
    kept = {each["Key"]: (each["CacheControl"], each["ContentType"]) for each in bucket.put}
    assert kept["admin/assets/z.js"] == ("public, max-age=31536000, immutable", "text/javascript; charset=utf-8")
    assert kept["admin/index.html"] == ("no-cache", "text/html; charset=utf-8")
    assert bucket.put[0]["Bucket"] == "b" and bucket.put[0]["Body"] == b"assets/a.css"


def test_a_file_of_an_unknown_type_stops_the_upload_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("")
    (tmp_path / "notes.doc").write_text("")
    bucket = Bucket()
    monkeypatch.setitem(aws.clients, "s3", bucket)
    with pytest.raises(KeyError):
        deploy.upload(tmp_path, "b")
    assert bucket.put == []
