import io
import json

import pytest
from chalice import AuthResponse, Chalice, Rate, Response

from infra.local.emulator.wsgi import BODY_BYTES_MAX, application


def small_app():
    app = Chalice("small")

    @app.authorizer(ttl_seconds=0)
    def authorize(request):
        if request.token == "Bearer crash":
            raise RuntimeError("broken")
        if request.token == "Bearer good":
            return AuthResponse(routes=["*"], principal_id="u")
        context = {"code": "kicked", "detail": "An operator ended this session.", "end_reason": "kicked"}
        return AuthResponse(routes=[], principal_id="u", context=context)

    @app.route("/echo/{name}", methods=["GET", "POST"], content_types=["application/json"])
    def echo(name):
        request = app.current_request
        query = {key: request.query_params.getlist(key) for key in request.query_params or {}}
        body = request.json_body if request.method == "POST" else None
        where = {"address": request.context["identity"]["sourceIp"], "request_id": request.context["requestId"]}
        return {"name": name, "query": query, "body": body, **where, "header": request.headers.get("x-own")}

    @app.route("/bytes")
    def binary():
        return Response(b"\x00\xff", headers={"Content-Type": "application/octet-stream", "Set-Cookie": ["a", "b"]})

    @app.route("/guarded", authorizer=authorize)
    def guarded():
        return {}

    @app.schedule(Rate(1, Rate.MINUTES))
    def tick(event):
        pass

    return app


def call(method="GET", uri="/echo/a", body=None, **environ):
    seen = {}
    environ = {"REQUEST_METHOD": method, "RAW_URI": uri, "wsgi.input": io.BytesIO(body or b""), **environ}
    if body is not None and "HTTP_TRANSFER_ENCODING" not in environ:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    answer = application(small_app())(environ, lambda status, headers: seen.update(status=status, headers=headers))
    return int(seen["status"][:3]), seen["headers"], b"".join(answer)


def document(content):
    return json.loads(content)


def test_query_headers_and_address_reach_the_view():
    headers = {"HTTP_X_OWN": "x", "HTTP_X_REAL_IP": "192.0.2.7", "HTTP_X_REQUEST_ID": "r1"}
    status, _, content = call(uri="/echo/a%20b?q=1&q=2&empty=", **headers)
    assert status == 200
    query = {"name": "a b", "query": {"q": ["1", "2"], "empty": [""]}, "body": None}
    assert document(content) == {**query, "address": "192.0.2.7", "request_id": "r1", "header": "x"}
    assert call(uri="http://elsewhere/echo/a?q=1")[0] == 200, "an absolute address is its path"


@pytest.mark.parametrize("encoding", [{}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_bodies_of_known_length_and_chunked(encoding):
    status, _, content = call("POST", body=b'{"a": 1}', CONTENT_TYPE="application/json", **encoding)
    assert (status, document(content)["body"]) == (200, {"a": 1})
    status, headers, content = call("POST", body=b"x" * (BODY_BYTES_MAX + 1), **encoding)
    assert (status, document(content)["code"]) == (413, "body_too_large")
    assert ("Content-Type", "application/problem+json") in headers


def test_bad_lengths_and_json_are_400_and_bad_utf8_does_not_crash():
    assert call("POST", body=b"", CONTENT_LENGTH="-1")[0] == 400
    assert call("POST", body=b"{", CONTENT_TYPE="application/json")[0] == 400
    assert call("POST", body=b'"\xff"', CONTENT_TYPE="application/json")[0] == 200


def test_head_is_get_without_a_body_and_answers_may_be_binary_with_repeated_headers():
    status, headers, content = call("HEAD")
    assert (status, content, int(dict(headers)["Content-Length"])) == (200, b"", len(call("GET")[2]))
    status, headers, content = call(uri="/bytes", HTTP_ACCEPT="application/octet-stream")
    assert (status, content) == (200, b"\x00\xff")
    assert [value for name, value in headers if name == "Set-Cookie"] == ["a", "b"]


def test_unknown_paths_and_wrong_methods():
    paths = "/nothing //echo/a //x/echo/a /echo/a;b /echo//a /echo/a#b * /ec%68o/a"
    for uri in paths.split():
        status, _, content = call(uri=uri, HTTP_AUTHORIZATION="Bearer x")
        assert (status, document(content)["code"]) == (404, "not_found"), uri
    for method in ("DELETE", "OPTIONS", "BREW"):
        status, headers, content = call(method)
        assert (status, dict(headers)["Allow"]) == (405, "GET, HEAD, POST")
        assert document(content)["code"] == "method_not_allowed"


def test_authorizer_refusals_are_problems_and_a_crash_reveals_nothing():
    status, headers, content = call(uri="/guarded")
    assert (status, document(content)["code"], dict(headers)["WWW-Authenticate"]) == (401, "token_invalid", "Bearer")
    status, _, content = call(uri="/guarded", HTTP_AUTHORIZATION="Bearer bad")
    assert (status, document(content)["end_reason"]) == (403, "kicked")
    assert call(uri="/guarded", HTTP_AUTHORIZATION="Bearer good")[0] == 200
    status, _, content = call(uri="/guarded", HTTP_AUTHORIZATION="Bearer crash")
    assert (status, document(content)["code"]) == (500, "internal_error") and b"broken" not in content
