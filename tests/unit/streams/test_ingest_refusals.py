"""Refusals of the ingest as they are stored and read, and when they say what is wrong with a stream."""

import json
import re
from dataclasses import replace

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.issues import ingest_refusals as rules
from chalicelib.domain.streams.issues.ingest_refusals import DETAILS, IngestRefusal, RefusalCode, decode, encode
from chalicelib.domain.streams.runtime import Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import EtagMismatch
from chalicelib.services.streams.ingest_refusals import IngestRefusals
from chalicelib.services.streams.views import StreamView
from gateway.ingest.config import MEMORY_BYTES_MAX, TEMPLATE
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from worker.ingest.live_source_opener import MUTE_REASON, WAITING_REASON

NOW_MS = SetClock().now_ms()
RTMP = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
STREAM = Stream(stream_id="stream-1", title="x", ingest=RTMP, desired_state=DesiredState.LIVE)
WRONG_KEY, SILENT = RefusalCode.WRONG_KEY, RefusalCode.SILENT


def refusal(code=WRONG_KEY, count=1, ago_ms=0):
    return IngestRefusal(code=code, count=count, last_at_ms=NOW_MS - ago_ms)


def test_counts_are_added_up_by_reason_newest_first_and_forgotten_after_a_day():
    old = refusal(RefusalCode.OUT_OF_MEMORY, ago_ms=rules.KEPT_MS)
    before = (refusal(count=3, ago_ms=9), refusal(SILENT, ago_ms=5), old)
    assert rules.merge(before, (refusal(count=2),), now_ms=NOW_MS) == (refusal(count=5), refusal(SILENT, ago_ms=5))


def test_what_is_stored_is_read_again_and_is_small_and_every_reason_has_words():
    every = tuple(refusal(code, 10**9) for code in RefusalCode)
    assert decode(encode(every)) == every and len(encode(every)) < 1_000
    newer = json.dumps({"refusals": [{"code": "of_a_newer_version", "count": 1, "last_at_ms": 1}]})
    for damaged in (newer, "", "{", "[]", "null", '{"refusals": [1]}', '{"refusals": [{"code": "silent"}]}'):
        assert decode(damaged.encode()) == ()
    assert set(DETAILS) == set(RefusalCode) and all(detail.endswith(".") for detail in DETAILS.values())


def test_the_limits_in_the_texts_are_those_of_the_ingest():
    settings = dict(re.findall(r"^ *(\w+) (\d+)s?;", TEMPLATE.read_text(), re.MULTILINE))
    assert f"after {settings['drop_idle_publisher']} s" in DETAILS[SILENT]
    assert f"chunk streams below {settings['max_streams']}." in DETAILS[RefusalCode.CHUNKS_REFUSED]
    assert f"share {MEMORY_BYTES_MAX >> 30} GiB;" in DETAILS[RefusalCode.OUT_OF_MEMORY]


def test_another_ingest_that_wrote_meanwhile_is_not_overwritten():
    media = MemoryMedia()
    faulty = FaultyMedia(media)
    IngestRefusals(media, SetClock()).add("stream-1", (refusal(),))
    others = encode((refusal(count=7),))
    faulty.after = lambda operation, key: media.put(key, others, "application/json") and None
    with pytest.raises(EtagMismatch):
        IngestRefusals(faulty, SetClock()).add("stream-1", (refusal(),))
    assert IngestRefusals(media, SetClock()).newest("stream-1") == (refusal(count=7),)


def last_error(*refusals, stream=STREAM, media=None, **runtime):
    if media is None:
        media = MemoryMedia()
        media.put(rules.ingest_refusals_key("stream-1"), encode(refusals), "application/json")
    reported = Runtime(stream_id="stream-1", state=RuntimeState.STARTING, **runtime)
    view = StreamView(stream=stream, runtime=reported, state=reported.state, outages=(), manifest_age_ms=None)
    return IngestRefusals(media, SetClock()).last_error(view)


def test_the_newest_refusal_says_why_a_stream_waits():
    said = DETAILS[WRONG_KEY]
    assert last_error(refusal(SILENT, ago_ms=9), refusal(), down_since_ms=NOW_MS - 9) == said
    assert rules.WAITING_FOR_SENDER == WAITING_REASON
    for waiting in (WAITING_REASON, MUTE_REASON, f"primary: {WAITING_REASON}; backup-1: no such file"):
        assert last_error(refusal(), last_error=waiting) == f"{waiting}; {said}"
    # On a backup, or with the slate.
    assert last_error(refusal(), last_error=WAITING_REASON, source="backup-1") == f"{WAITING_REASON}; {said}"


WAITING = {"last_error": WAITING_REASON}


@pytest.mark.parametrize(
    ("stream", "ago_ms", "runtime"),
    [
        (STREAM, rules.NEWS_MS, WAITING),
        # It was refused while the stream was live.
        (STREAM, 10, {**WAITING, "down_since_ms": NOW_MS - 10}),
        *((STREAM, 0, {"last_error": "ffmpeg ended with status 1"}), (STREAM, 0, {"source": "primary"})),
        (replace(STREAM, desired_state=DesiredState.STOPPED), 0, {}),
        (replace(STREAM, ingest=Ingest(mode=IngestMode.TEST)), 0, {}),
    ],
    ids=str,
)
def test_a_refusal_says_nothing_where_more_is_known(stream, ago_ms, runtime):
    assert last_error(refusal(ago_ms=ago_ms), stream=stream, **runtime) == runtime.get("last_error")


def test_a_store_that_does_not_answer_leaves_the_workers_error():
    def away(operation, key):
        raise StoreUnavailable("away")

    media = FaultyMedia(MemoryMedia())
    media.before = away
    assert last_error(media=media, **WAITING) == WAITING_REASON
