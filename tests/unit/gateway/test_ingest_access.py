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
ROTATED, ARCHIVED = replace(STREAM, ingest_key="n" * 24), replace(STREAM, archived=True)
QUESTION = {"app": "live", "addr": "127.0.0.1", "call": "publish", "name": "stream-1", "type": "live", "key": KEY}


def changed(**fields):
    return {name: value for name, value in {**QUESTION, **fields}.items() if value is not None}


def ask(fields, stream=STREAM, method="POST", length=None, find=None):
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    length = str(len(body)) if length is None else length
    environ = {"REQUEST_METHOD": method, "CONTENT_LENGTH": length, "wsgi.input": BytesIO(body)}
    return ingest(find or {"stream-1": stream}.get, environ)


def test_a_new_client_is_redirected_to_a_name_of_stream_and_key():
    entered = ask(QUESTION)
    assert entered.status == 302
    place = entered.headers["Location"]
    assert place.startswith("stream-1-") and KEY not in place and "/" not in place
    assert ask(changed(call="play")).headers["Location"] == place
    assert ask(changed(key="n" * 24), ROTATED).headers["Location"] not in (place, "stream-1")
    assert ask(QUESTION, replace(STREAM, ingest=TEST, backups=(TEST, RTMP))).status == 302, "a backup may listen"


@pytest.mark.parametrize("call", ["update_publish", "update_play"])
def test_a_connected_client_may_stay_while_the_key_is_valid(call):
    answers = [ask(changed(call=call), stream).status for stream in (STREAM, ROTATED, ARCHIVED)]
    assert answers == [204, 403, 403]


def test_only_a_listening_stream_with_this_key_accepts_clients():
    changes = [{"archived": True}, {"ingest": TEST}, {"ingest": SRT}, {"ingest": TEST, "backups": (SRT,)}]
    changes += [{"ingest_key": key} for key in ("n" * 24, KEY + "x", "")]
    for change in changes:
        for key in (KEY, ""):
            assert ask(changed(key=key), replace(STREAM, **change)).status == 403, change


WRONG_KEY, NOT_LISTENING = "wrong_key", "not_listening"


@pytest.mark.parametrize(
    ("change", "stream", "code"),
    [
        *(({"key": "wrong"}, STREAM, WRONG_KEY), ({"key": None}, STREAM, WRONG_KEY), ({}, ROTATED, WRONG_KEY)),
        ({"call": "update_publish"}, ROTATED, "not_allowed_any_more"),
        ({}, replace(STREAM, ingest=SRT), NOT_LISTENING),
        ({"call": "update_publish"}, replace(STREAM, ingest=TEST), NOT_LISTENING),
        *(({}, ARCHIVED, None), ({"name": "stream-2"}, STREAM, None), ({"call": "update_play"}, ROTATED, None)),
        ({"call": "play", "key": "wrong"}, STREAM, None),
    ],
    ids=str,
)
def test_the_refusal_of_a_sender_names_stream_and_reason(change, stream, code):
    answer = ask(changed(**change), stream)
    wanted = {} if code is None else {"X-Tollcast-Refusal": f"stream-1 {code}"}
    assert (answer.status, answer.headers) == (403, wanted)


@pytest.mark.parametrize(
    "fields",
    [
        *(changed(key=key) for key in ("wrong", "", "ü", None)),
        *(changed(name=name) for name in (None, "stream-2", "../stream-1", "stream-1\n")),
        *(changed(call=call) for call in (None, "connect", "update")),
        # The fields that a sender writes behind the name follow the module's own.
        [*changed(key="wrong").items(), ("key", KEY)],
        *([*QUESTION.items(), again] for again in (("key", KEY), ("name", "stream-1"), ("call", "update_publish"))),
        [(f"field-{n}", "") for n in range(100)] + list(QUESTION.items()),
        *(b"", b"\xff\xfe=%ff", b"call=publish&name=stream-1&key=" + b"k" * BODY_BYTES_MAX),
    ],
    ids=str,
)
def test_other_requests_are_refused(fields):
    answer = ask(fields)
    assert (answer.status, answer.document) == (403, None)
    assert answer.headers in ({}, {"X-Tollcast-Refusal": "stream-1 wrong_key"})


def test_only_a_form_of_a_known_length_is_accepted_and_none_in_an_outage():
    assert ask(QUESTION, method="GET").status == 403
    for length in ("", "0", "-1", "x", str(BODY_BYTES_MAX + 1)):
        assert ask(QUESTION, length=length).status == 403

    def broken(_):
        raise StoreUnavailable("stub")

    assert ask(QUESTION, find=broken).status == 503


def test_refusals_are_logged_without_key_and_address(caplog):
    ask(changed(key="almost right", addr="203.0.113.7", name="stream-1\nforged"))
    ask(changed(key="almost right", addr="203.0.113.7"))
    assert "stream-1" in caplog.text
    assert not [each for each in ("almost right", "203.0.113.7", "\nforged") if each in caplog.text]
