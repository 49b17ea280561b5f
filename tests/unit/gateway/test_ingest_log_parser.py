"""Parsing of real log lines, of nginx 1.22.1 with the RTMP module 1.2.2."""

import pytest

from chalicelib.domain.streams.issues.ingest_refusals import RefusalCode
from gateway.ingest.log_parser import CONNECTIONS_MAX, IngestLogParser

TAIL = ", client: 127.0.0.1, server: 127.0.0.1:1935"
PLACE = "stream-1-eede67659f862385b609ab7bf1c52834"
LET_IN = f"notify: publish redirect to '{PLACE}'{TAIL}"
PUBLISH = f"publish: name='stream-1' args='key=secret' type=live silent=0{TAIL}"
SILENT = f"live: drop idle publisher{TAIL}"


def line(words, connection=35, level="info"):
    return f"<190>Nov  3 03:49:14 ingest: 2026/11/03 03:49:14 [{level}] 10304#10304: *{connection} {words}".encode()


def read(*lines):
    log = IngestLogParser()
    return [log.parse(each) for each in lines]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("live: already publishing", RefusalCode.ALREADY_SENDING),
        ("live: drop idle publisher", RefusalCode.SILENT),
        ("RTMP in chunk stream too big: 20 >= 16", RefusalCode.CHUNKS_REFUSED),
        ("too big RTMP chunk size:20971520", RefusalCode.CHUNKS_REFUSED),
        ("posix_memalign(16, 4096) failed (12: Cannot allocate memory)", RefusalCode.OUT_OF_MEMORY),
        ("malloc(4114) failed (12: Cannot allocate memory)", RefusalCode.OUT_OF_MEMORY),
    ],
)
def test_a_line_of_an_accepted_sender_gives_stream_and_reason(words, code):
    ended = line(words + TAIL, level="error")
    assert read(line(PUBLISH), line(LET_IN), ended) == [None, None, ("stream-1", code)]
    # A connection that was not accepted belongs to no stream.
    assert (read(line(PUBLISH), ended), read(line(LET_IN, 34), ended)) == ([None, None], [None, None])
    assert read(line(LET_IN), line("disconnect" + TAIL), ended) == [None, None, None]
    # A restarted nginx counts from 1.
    assert read(line(LET_IN), ended.replace(b"10304#", b"10305#")) == [None, None]
    assert read(line(LET_IN.replace("publish", "play")), ended) == [None, None]


def test_a_refusal_of_the_http_part_gives_stream_and_reason_and_other_lines_are_ignored():
    said = b"<190>Nov 30 03:49:00 ingest: refused stream-1 wrong_key"
    assert read(said) == [("stream-1", RefusalCode.WRONG_KEY)]
    for bad in (b"stream-1 no_such_code", b"-x wrong_key", b"stream-1", b"a b wrong_key"):
        assert read(said.replace(b"stream-1 wrong_key", bad)) == [None]
    for junk in (b"", b"\xff\xfe\x00", b"<190>", b"x" * 4_096, line("")):
        assert read(junk) == [None]


@pytest.mark.parametrize(
    "forged",
    [
        f"publish: name='x' {LET_IN}",
        f"connect: app='live' args='{LET_IN}'",
        f"publish: name='*35 {LET_IN}' args=''",
        f"publish: name='x\n{line(LET_IN).decode()}' args=''",
        "publish: name='<190>Nov  3 03:49:14 ingest: refused stream-1 wrong_key' args=''",
        f"notify: publish redirect to 'stream-1'{TAIL}",
    ],
    ids=str,
)
def test_text_of_strangers_inside_a_line_is_ignored(forged):
    assert read(line(forged + TAIL), line(SILENT)) == [None, None]


def test_the_number_of_remembered_connections_is_bounded():
    log = IngestLogParser()
    for number in range(CONNECTIONS_MAX + 1):
        log.parse(line(LET_IN, number))
    assert log.parse(line(SILENT, 0)) is None and log.parse(line(SILENT, 1)) == ("stream-1", RefusalCode.SILENT)
