from dataclasses import replace

from chalicelib.api.models.streams import RenditionAnswer
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.runtime import PublishedRendition, Runtime, RuntimeState
from chalicelib.domain.streams.stream import Stream, stream_faults
from chalicelib.services.streams.views import StreamView

STREAM = Stream(stream_id="s", title="S", ingest=Ingest(mode=IngestMode.FILE, path="a.mp4"), generation=3)
RATES = {"bandwidth_bps": 1_111_111, "average_bandwidth_bps": 1_000_000}
PICTURE = {"name": "480p", "width": 854, "height": 480, "fps": 25.0}
FOUND = PublishedRendition(**PICTURE, codecs="avc1.64001E,mp4a.40.2", **RATES)


def shown(stream, *published, generation=3):
    runtime = Runtime(stream_id="s", state=RuntimeState.LIVE, generation=generation, published=published)
    view = StreamView(stream=stream, runtime=runtime, state=RuntimeState.LIVE, outages=(), manifest_age_ms=None)
    answers = [RenditionAnswer.model_validate(quality) for quality in view.renditions]
    return [(each.name, each.width, each.height, each.bitrate_bps) for each in answers]


def test_what_is_measured_goes_before_what_was_planned():
    planned = [("720p", 1280, 720, 3_162_240), ("480p", 854, 480, 1_399_680)]
    assert (shown(STREAM), shown(STREAM, FOUND)) == (planned, [planned[0], ("480p", 854, 480, 1_111_111)])
    assert shown(STREAM, FOUND, generation=2) == planned, "that was under other settings"


def test_a_copied_source_is_what_it_is_found_to_be_and_a_pattern_has_nothing_to_copy():
    copied = replace(STREAM, abr_profile="source")
    assert shown(copied) == [("source", None, None, None)]
    assert shown(copied, replace(FOUND, name="source")) == [("source", 854, 480, 1_111_111)]
    assert stream_faults(copied) == []
    [fault] = stream_faults(replace(copied, ingest=Ingest(mode=IngestMode.TEST)))
    assert "cannot copy" in fault
