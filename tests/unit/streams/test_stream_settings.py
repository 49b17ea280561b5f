"""The rules of a stream's settings: sources, ladders, and combinations."""

from dataclasses import replace

import pytest

from chalicelib.api.models.streams import EditStreamRequest
from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol, mode_fault
from chalicelib.domain.streams.ladders import ABR_PROFILES, RENDITIONS_MAX, Rendition, ladder_faults
from chalicelib.domain.streams.pacing import Latency
from chalicelib.domain.streams.stream import Stream, stream_faults

HIGH = Rendition(name="720p", width=1280, height=720, video_bps=2_800_000, audio_bps=128_000)
LOW = Rendition(name="360p", width=640, height=360, video_bps=700_000, audio_bps=96_000)
LISTENING = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
LISTENING_SRT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_000)
PULLED = Ingest(mode=IngestMode.PULL, url="https://example.org/x.m3u8")
FILE = Ingest(mode=IngestMode.FILE, path="a.mp4")
STREAM = Stream(stream_id="stream-1", title="x", ingest=Ingest(mode=IngestMode.TEST))


@pytest.mark.parametrize(
    ("ingest", "fault"),
    [
        (Ingest(mode=IngestMode.TEST), None),
        (PULLED, None),
        (LISTENING, None),
        (LISTENING_SRT, None),
        (Ingest(mode=IngestMode.PULL), "mode `pull` needs url"),
        (Ingest(mode=IngestMode.LISTEN), "mode `listen` needs protocol"),
        (Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT), "mode `listen` needs port"),
        (replace(LISTENING, port=9_000), "mode `listen` with protocol `rtmp` takes no port"),
        (replace(LISTENING, audio_track=2), None),
        (replace(LISTENING, program=2), "mode `listen` with protocol `rtmp` takes no program"),
        (replace(LISTENING_SRT, program=2, audio_track=2), None),
        (replace(FILE, program=2, audio_track=2), None),
        (replace(PULLED, program=2, audio_track=2), None),
        (Ingest(mode=IngestMode.TEST, program=2, audio_track=2), "mode `test` takes no audio_track and no program"),
        (Ingest(mode=IngestMode.FILE), "mode `file` needs path"),
        (Ingest(mode=IngestMode.TEST, url="x", path="y"), "mode `test` takes no path and no url"),
    ],
)
def test_a_source_has_what_its_mode_needs_and_nothing_else(ingest: Ingest, fault: str | None) -> None:
    assert mode_fault(ingest) == fault


@pytest.mark.parametrize("profile", [name for name in ABR_PROFILES if name != "source"])
def test_our_own_ladders_keep_the_rules_for_ladders(profile: str) -> None:
    assert ladder_faults(ABR_PROFILES[profile]) == []


@pytest.mark.parametrize(
    ("ladder", "fault"),
    [
        ([], f"1 to {RENDITIONS_MAX} renditions"),
        ([HIGH] * (RENDITIONS_MAX + 1), f"1 to {RENDITIONS_MAX} renditions"),
        ([HIGH, replace(LOW, name="720p")], "must differ"),
        ([replace(HIGH, name="../x")], "lower-case letters and digits"),
        ([replace(HIGH, name="source")], "not be `source`"),
        ([replace(HIGH, width=1281)], "720p: width must be even"),
        ([replace(HIGH, height=34)], "height must be from 36 to 2160"),
        ([replace(HIGH, video_bps=1)], "video_bps must be from 100000 to 30000000"),
        ([replace(HIGH, audio_bps=None)], "audio_bps must be from 32000 to 320000"),
        ([LOW, HIGH], "best first"),
    ],
)
def test_a_wrong_ladder_gets_a_reason(ladder: list[Rendition], fault: str) -> None:
    assert fault in "; ".join(ladder_faults(ladder))


@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        (STREAM, None),
        (replace(STREAM, abr_profile="custom", custom_renditions=(HIGH, LOW)), None),
        (replace(STREAM, abr_profile="custom"), "needs custom_renditions"),
        (replace(STREAM, custom_renditions=(HIGH,)), "needs custom_renditions"),
        (replace(STREAM, abr_profile="custom", custom_renditions=(HIGH,), fps_max=60), None),
        (
            replace(STREAM, fps_max=60),
            "fps_max 60 belongs to the profile `custom`; with every other profile fps_max is 30",
        ),
        (replace(STREAM, ingest=FILE, abr_profile="source"), None),
        (replace(STREAM, ingest=FILE, abr_profile="source", backups=(STREAM.ingest,)), "cannot copy"),
        (replace(STREAM, ingest=LISTENING, backups=(LISTENING,)), "may listen"),
        (replace(STREAM, latency=Latency.LOW, segment_seconds=2), "low latency needs segment_seconds 1"),
        (replace(STREAM, latency=Latency.LOW, segment_seconds=1), None),
    ],
)
def test_settings_that_do_not_fit_together_get_a_reason(stream: Stream, fault: str | None) -> None:
    faults = stream_faults(stream)
    assert faults == [] if fault is None else fault in faults[0]


def test_a_ladder_of_ones_own_can_be_given_up_again() -> None:
    # The value in the responses for all streams without one.
    asked = EditStreamRequest.model_validate({"abr_profile": "hd", "custom_renditions": []})
    given = {name: value for name, value in asked if value is not None}
    own = replace(STREAM, abr_profile="custom", custom_renditions=(HIGH, LOW))
    assert stream_faults(replace(own, abr_profile="hd"))
    assert stream_faults(replace(own, **{**given, "custom_renditions": tuple(given["custom_renditions"])})) == []
