"""Entity tags: what they change with, how `If-None-Match` is compared, and what routes that declare them answer."""

import io
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib.api import endpoint, openapi
from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.etags import etag_of, matches
from chalicelib.api.models.common import Answer
from infra.local.emulator.wsgi import application
from tests.fakes.stores import memory_services


class Plain(Answer):
    name: str


class Versioned(Answer):
    version: int
    name: str


def test_a_tag_changes_with_every_field_and_begins_with_the_version() -> None:
    assert etag_of(Plain(name="a")) == etag_of(Plain(name="a")) != etag_of(Plain(name="b"))
    first, derived, second = (etag_of(Versioned(version=v, name=n)) for v, n in ((7, "a"), (7, "b"), (8, "a")))
    assert first.startswith('"7.') and derived.startswith('"7.') and second.startswith('"8.')
    assert len({first, derived, second}) == 3


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"x", "a" , W/"y"', True),
        ("*", True),
        ("a", False),
        ('"ab"', False),
        ('"x,"a"', False),
        ('"' * 10_000, False),
    ],
)
def test_tags_are_compared_weakly_and_as_a_whole(header: str | None, expected: bool) -> None:
    assert matches(header, '"a"') is expected


def served(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> Any:
    """Return a function that requests a route with tags. It answers with the last of `names`."""
    services, routes, app = memory_services(), Routes("named"), Chalice("named")
    monkeypatch.setattr(endpoint, "container", lambda: services)

    @routes.add("GET", "/named", roles=None, etag=True)
    def read(call: Call) -> Plain:
        """Return the name."""
        return Plain(name=names[-1])

    @routes.add("POST", "/named", roles=None, etag=True, status=201)
    def change(call: Call) -> Plain:
        """Return the name."""
        return Plain(name=names[-1])

    app.register_blueprint(routes.blueprint)
    wsgi = application(app)

    def call(method: str, **environ: str) -> tuple[int, dict[str, str], bytes]:
        seen: dict[str, Any] = {}
        environ = {"REQUEST_METHOD": method, "RAW_URI": "/named", "wsgi.input": io.BytesIO(), **environ}  # type: ignore[dict-item]
        body = wsgi(environ, lambda status, headers: seen.update(status=status, headers=headers))
        return int(seen["status"][:3]), dict(seen["headers"]), b"".join(body)

    return call


def test_an_unchanged_answer_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a"]
    call = served(monkeypatch, names)
    status, headers, body = call("GET")
    tag = headers["ETag"]
    assert (status, body, tag) == (200, b'{"name":"a"}', etag_of(Plain(name="a")))
    for method in ("GET", "HEAD"):
        status, headers, body = call(method, HTTP_IF_NONE_MATCH=tag)
        assert (status, body, headers["ETag"], headers["Cache-Control"]) == (304, b"", tag, "no-store")
        assert "Content-Length" not in headers
    names.append("b")
    status, headers, body = call("GET", HTTP_IF_NONE_MATCH=tag)
    assert (status, body, headers["ETag"]) == (200, b'{"name":"b"}', etag_of(Plain(name="b")))


def test_a_change_is_answered_in_full_with_its_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    call = served(monkeypatch, ["a"])
    status, headers, body = call("POST", HTTP_IF_NONE_MATCH="*")
    assert (status, body, headers["ETag"]) == (201, b'{"name":"a"}', etag_of(Plain(name="a")))


def test_the_document_names_tags_where_they_are_declared() -> None:
    for routes in openapi.ALL_ROUTES:
        for each in routes.endpoints:
            operation = openapi.document()["paths"][each.path][each.method.lower()]
            answers = operation["responses"]
            assert ("ETag" in answers[str(each.status)]["headers"]) is each.etag
            assert ("304" in answers) is (each.etag and each.method == "GET")
