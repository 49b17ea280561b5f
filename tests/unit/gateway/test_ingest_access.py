"""The endpoint that authorizes RTMP clients of the ingest."""

from dataclasses import replace
from io import BytesIO
from urllib.parse import urlencode

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.stream import Stream
from chalicelib.ports.common import StoreUnavailable
from gateway.ingest.access import BODY_BYTES_MAX, ingest

KEY = "k" * 24
RTMP = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
SRT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_000)
TEST = Ingest(mode=IngestMode.TEST)
STREAM = Stream(stream_id="stream-1", title="x", ingest=RTMP, ingest_key=KEY)
QUESTION = {"app": "live", "addr": "127.0.0.1", "call": "publish", "name": "stream-1", "type": "live", "key": KEY}


def changed(**fields):
    return {name: value for name, value in {**QUESTION, **fields}.items() if value is not None}


def ask(fields, stream=STREAM, method="POST", length=None):
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    environ = {
        "REQUEST_METHOD": method,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": BytesIO(body),
    }
    return ingest({"stream-1": stream}.get, environ)


def test_a_new_client_is_redirected_to_a_name_of_stream_and_key():
    entered = ask(QUESTION)
    assert entered.status == 302
    place = entered.headers["Location"]
    assert place.startswith("stream-1-") and KEY not in place and "/" not in place
    assert ask({**QUESTION, "call": "play"}).headers["Location"] == place
    rotated = ask({**QUESTION, "key": "n" * 24}, replace(STREAM, ingest_key="n" * 24))
    assert rotated.headers["Location"] not in (place, "stream-1")


@pytest.mark.parametrize("call", ["update_publish", "update_play"])
def test_a_connected_client_may_stay_while_the_key_is_valid(call):
    assert ask({**QUESTION, "call": call}).status == 204
    assert ask({**QUESTION, "call": call}, replace(STREAM, ingest_key="n" * 24)).status == 403
    assert ask({**QUESTION, "call": call}, replace(STREAM, archived=True)).status == 403


@pytest.mark.parametrize(
    "change",
    [
        {"archived": True},
        {"ingest": TEST},
        {"ingest": SRT},
        {"ingest": TEST, "backups": (SRT,)},
        {"ingest_key": "n" * 24},
        {"ingest_key": KEY + "x"},
        {"ingest_key": ""},
    ],
    ids=str,
)
def test_only_a_listening_stream_with_this_key_accepts_clients(change):
    assert ask(QUESTION, replace(STREAM, **change)).status == 403
    assert ask({**QUESTION, "key": ""}, replace(STREAM, **change)).status == 403


WRONG_KEY, NOT_LISTENING = "wrong_key", "not_listening"


@pytest.mark.parametrize(
    ("change", "stream", "code"),
    [
        ({"key": "wrong"}, STREAM, WRONG_KEY),
        ({"key": None}, STREAM, WRONG_KEY),
        ({}, replace(STREAM, ingest_key="n" * 24), WRONG_KEY),
        ({"call": "update_publish"}, replace(STREAM, ingest_key="n" * 24), "not_allowed_any_more"),
        ({}, replace(STREAM, ingest=SRT), NOT_LISTENING),
        ({"call": "update_publish"}, replace(STREAM, ingest=TEST), NOT_LISTENING),
        ({}, replace(STREAM, archived=True), None),
        ({"name": "stream-2"}, STREAM, None),
        ({"call": "play", "key": "wrong"}, STREAM, None),
        ({"call": "update_play"}, replace(STREAM, ingest_key="n" * 24), None),
    ],
    ids=str,
)
def test_the_refusal_of_a_sender_names_stream_and_reason(change, stream, code):
    answer = ask(changed(**change), stream)
    wanted = {} if code is None else {"X-Tollcast-Refusal": f"stream-1 {code}"}
    assert (answer.status, answer.headers) == (403, wanted)


def test_a_backup_may_listen():
    assert ask(QUESTION, replace(STREAM, ingest=TEST, backups=(TEST, RTMP))).status == 302


@pytest.mark.parametrize(
    "fields",
    [
        changed(key="wrong"),
        changed(key=""),
        changed(key="ü"),
        changed(key=None),
        changed(name=None),
        changed(name="stream-2"),
        changed(name="../stream-1"),
        changed(name="stream-1\n"),
        changed(call=None),
        changed(call="connect"),
        changed(call="update"),
        # The fields that a sender writes behind the name follow the module's own.
        [*changed(key="wrong").items(), ("key", KEY)],
        [*QUESTION.items(), ("key", KEY)],
        [*QUESTION.items(), ("name", "stream-1")],
        [*QUESTION.items(), ("call", "update_publish")],
        [(f"field-{n}", "") for n in range(100)] + list(QUESTION.items()),
        b"",
        b"\xff\xfe=%ff",
        b"call=publish&name=stream-1&key=" + b"k" * BODY_BYTES_MAX,
    ],
    ids=str,
)
def test_other_requests_are_refused(fields):
    answer = ask(fields)
    assert (answer.status, answer.document) == (403, None)
    assert answer.headers in ({}, {"X-Tollcast-Refusal": "stream-1 wrong_key"})


def test_only_a_form_of_a_known_length_is_accepted():
    assert ask(QUESTION, method="GET").status == 403
    for length in ("", "0", "-1", "x", str(BODY_BYTES_MAX + 1)):
        assert ask(QUESTION, length=length).status == 403


def test_an_outage_of_the_store_accepts_no_client():
    def broken(_: str) -> Stream | None:
        raise StoreUnavailable("stub")

    body = urlencode(QUESTION).encode()
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    assert ingest(broken, environ).status == 503


def test_refusals_are_logged_without_key_and_address(caplog):
    ask({**QUESTION, "key": "almost right", "addr": "203.0.113.7", "name": "stream-1\nforged"})
    ask({**QUESTION, "key": "almost right", "addr": "203.0.113.7"})
    assert "stream-1" in caplog.text
    assert not [each for each in ("almost right", "203.0.113.7", "\nforged") if each in caplog.text]
