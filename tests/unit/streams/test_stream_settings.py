from dataclasses import replace

import pytest

from chalicelib.api.models.streams import EditStreamRequest
from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol, mode_fault
from chalicelib.domain.streams.ladders import ABR_PROFILES, RENDITIONS_MAX, Rendition, ladder_faults
from chalicelib.domain.streams.pacing import Latency, live_start_index
from chalicelib.domain.streams.runtime import PublishedRendition, Runtime, RuntimeState
from chalicelib.domain.streams.stream import Stream, stream_faults
from chalicelib.services.streams.views import StreamView

HIGH = Rendition(name="720p", width=1280, height=720, video_bps=2_800_000, audio_bps=128_000)
LOW = Rendition(name="360p", width=640, height=360, video_bps=700_000, audio_bps=96_000)
LISTENING = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
LISTENING_SRT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_000)
PULLED = Ingest(mode=IngestMode.PULL, url="https://example.org/x.m3u8")
FILE = Ingest(mode=IngestMode.FILE, path="a.mp4")
STREAM = Stream(stream_id="stream-1", title="x", ingest=Ingest(mode=IngestMode.TEST))


COUNT = f"1 to {RENDITIONS_MAX} renditions"
NEEDS_PORT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT)
CHOSEN = {"program": 2, "audio_track": 2}


@pytest.mark.parametrize(
    ("ingest", "fault"),
    [
        *((each, None) for each in (Ingest(mode=IngestMode.TEST), PULLED, LISTENING, LISTENING_SRT)),
        *((replace(LISTENING, audio_track=2), None), (replace(LISTENING_SRT, **CHOSEN), None)),
        *((replace(FILE, **CHOSEN), None), (replace(PULLED, **CHOSEN), None)),
        (Ingest(mode=IngestMode.PULL), "mode `pull` needs url"),
        *((Ingest(mode=IngestMode.LISTEN), "mode `listen` needs protocol"), (NEEDS_PORT, "mode `listen` needs port")),
        (replace(LISTENING, port=9_000), "mode `listen` with protocol `rtmp` takes no port"),
        (replace(LISTENING, program=2), "mode `listen` with protocol `rtmp` takes no program"),
        (Ingest(mode=IngestMode.TEST, **CHOSEN), "mode `test` takes no audio_track and no program"),
        (Ingest(mode=IngestMode.FILE), "mode `file` needs path"),
        (Ingest(mode=IngestMode.TEST, url="x", path="y"), "mode `test` takes no path and no url"),
    ],
)
def test_a_source_has_what_its_mode_needs_and_nothing_else(ingest, fault):
    assert mode_fault(ingest) == fault


@pytest.mark.parametrize(
    ("ladder", "fault"),
    [
        *(([], COUNT), ([HIGH] * (RENDITIONS_MAX + 1), COUNT)),
        *(([HIGH, replace(LOW, name="720p")], "must differ"), ([LOW, HIGH], "best first")),
        ([replace(HIGH, name="../x")], "lower-case letters and digits"),
        ([replace(HIGH, name="source")], "not be `source`"),
        ([replace(HIGH, width=1281)], "720p: width must be even"),
        ([replace(HIGH, height=34)], "height must be from 36 to 2160"),
        ([replace(HIGH, video_bps=1)], "video_bps must be from 100000 to 30000000"),
        ([replace(HIGH, audio_bps=None)], "audio_bps must be from 32000 to 320000"),
    ],
)
def test_a_wrong_ladder_gets_a_reason_and_our_own_ladders_none(ladder, fault):
    assert fault in "; ".join(ladder_faults(ladder))
    assert not any(ladder_faults(own) for name, own in ABR_PROFILES.items() if name != "source")


CUSTOM = replace(STREAM, abr_profile="custom", custom_renditions=(HIGH, LOW))
COPIED = replace(STREAM, ingest=FILE, abr_profile="source")
FPS = "fps_max 60 belongs to the profile `custom`; with every other profile fps_max is 30"


@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        *((each, None) for each in (STREAM, CUSTOM, replace(CUSTOM, fps_max=60), COPIED)),
        (replace(STREAM, latency=Latency.LOW, segment_seconds=1), None),
        (replace(STREAM, latency=Latency.LOW, segment_seconds=2), "low latency needs segment_seconds 1"),
        (replace(STREAM, abr_profile="custom"), "needs custom_renditions"),
        (replace(STREAM, custom_renditions=(HIGH,)), "needs custom_renditions"),
        *((replace(STREAM, fps_max=60), FPS), (replace(COPIED, backups=(STREAM.ingest,)), "cannot copy")),
        (replace(STREAM, ingest=LISTENING, backups=(LISTENING,)), "may listen"),
    ],
)
def test_settings_that_do_not_fit_together_get_a_reason(stream, fault):
    faults = stream_faults(stream)
    assert faults == [] if fault is None else fault in faults[0]


def test_a_ladder_of_ones_own_can_be_given_up_again():
    # The value in the responses for all streams without one.
    asked = EditStreamRequest.model_validate({"abr_profile": "hd", "custom_renditions": []})
    given = {name: value for name, value in asked if value is not None}
    assert stream_faults(replace(CUSTOM, abr_profile="hd"))
    assert stream_faults(replace(CUSTOM, **{**given, "custom_renditions": tuple(given["custom_renditions"])})) == []


def test_players_begin_some_seconds_from_the_end():
    normal = {1: -8, 2: -4, 3: -3, 4: -2, 6: -2, 10: -2}
    indexes = {(Latency.NORMAL, seconds): index for seconds, index in normal.items()}
    indexes[Latency.LOW, 1] = -2
    assert {each: live_start_index(*each) for each in indexes} == indexes


RECORDING = Stream(stream_id="s", title="S", ingest=Ingest(mode=IngestMode.FILE, path="a.mp4"), generation=3)
RATES = {"bandwidth_bps": 1_111_111, "average_bandwidth_bps": 1_000_000}
PICTURE = {"name": "480p", "width": 854, "height": 480, "fps": 25.0}
FOUND = PublishedRendition(**PICTURE, codecs="avc1.64001E,mp4a.40.2", **RATES)


def shown(stream, *published, generation=3):
    runtime = Runtime(stream_id="s", state=RuntimeState.LIVE, generation=generation, published=published)
    view = StreamView(stream=stream, runtime=runtime, state=RuntimeState.LIVE, outages=(), manifest_age_ms=None)
    return [(each.name, each.width, each.height, each.bitrate_bps) for each in view.renditions]


def test_what_is_measured_goes_before_what_was_planned():
    planned = [("720p", 1280, 720, 3_162_240), ("480p", 854, 480, 1_399_680)]
    assert (shown(RECORDING), shown(RECORDING, FOUND)) == (planned, [planned[0], ("480p", 854, 480, 1_111_111)])
    assert shown(RECORDING, FOUND, generation=2) == planned, "that was under other settings"


def test_a_copied_source_is_what_it_is_found_to_be_and_a_pattern_has_nothing_to_copy():
    copied = replace(RECORDING, abr_profile="source")
    assert shown(copied) == [("source", None, None, None)]
    assert shown(copied, replace(FOUND, name="source")) == [("source", 854, 480, 1_111_111)]
    assert stream_faults(copied) == []
    [fault] = stream_faults(replace(copied, ingest=Ingest(mode=IngestMode.TEST)))
    assert "cannot copy" in fault
