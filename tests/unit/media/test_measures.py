import json

import pytest

from tests.media.judging import measures
from tests.media.judging.measures import Packet

PRINTED = """
[Parsed_ametadata_3 @ 0x55e] frame:0    pts:0       pts_time:1.4
[Parsed_ametadata_3 @ 0x55e] lavfi.astats.1.Zero_crossings_rate=0.01
[Parsed_ametadata_3 @ 0x55e] lavfi.astats.Overall.RMS_level=-21.5
[Parsed_metadata_2 @ 0x56a] frame:0    pts:126000  pts_time:1.4
[Parsed_metadata_2 @ 0x56a] lavfi.signalstats.YAVG=120
[h264 @ 0x571] a line of a decoder
[Parsed_ametadata_3 @ 0x55e] frame:1    pts:1024    pts_time:1.421
[Parsed_ametadata_3 @ 0x55e] lavfi.astats.1.Zero_crossings_rate=nan
[Parsed_ametadata_3 @ 0x55e] lavfi.astats.Overall.RMS_level=-inf
[Parsed_metadata_2 @ 0x99c] frame:0    pts:129600  pts_time:1.44
[Parsed_metadata_2 @ 0x99c] lavfi.signalstats.YAVG=16
"""


def packets(*times: float, lasts_s: float = 0.02) -> list[Packet]:
    return [Packet(at_s, lasts_s) for at_s in times]


def test_ffprobe_is_read_by_kind_and_in_the_order_of_presentation():
    packets = [
        {"codec_type": "video", "pts_time": "2.08", "duration_time": "0.04"},
        {"codec_type": "video", "pts_time": "2.0", "duration_time": "0.04"},
        {"codec_type": "audio", "pts_time": "2.0", "duration_time": "0.021333"},
        {"codec_type": "audio"},
        {"codec_type": "subtitle", "pts_time": "2.0"},
    ]
    streams = [
        {"codec_type": "video", "width": 320, "height": 180, "side_data_list": [{"rotation": -90}]},
        {"codec_type": "video", "width": 64, "height": 64},
        {"codec_type": "audio", "channels": 2},
    ]
    found = measures.probed(json.dumps({"packets": packets, "streams": streams}))
    assert [packet.at_s for packet in found.pictures] == [2.0, 2.08]
    assert found.sound == (Packet(2.0, 0.021333),)
    assert (found.size, found.rotation, found.audio["channels"]) == ("320x180", -90, 2)
    # A segment without streams has nothing.
    found = measures.probed("{}")
    assert (found.sound, found.pictures, found.rotation) == ((), (), 0)
    assert measures.sound_off_s(found, 2.0) == -2.0


def test_breaks_are_more_than_a_packet():
    assert measures.breaks([packets(0.0, 0.02), packets(0.04, 0.06)]) == []
    assert measures.breaks([packets(0.0, 0.02), packets(0.065)]) == []
    assert measures.breaks([packets(0.0, 0.02), [], packets(0.14)]) == [0.1]
    assert measures.breaks([packets(0.0, 0.02), packets(0.0)]) == [-0.04]
    # Many packets a tick apart are too much sound, though their span is short.
    pressed = measures.Probed(tuple(Packet(10 + n / 90_000, 0.021) for n in range(1_500)), ())
    assert measures.span_s(pressed.sound) < 0.1
    assert measures.sound_off_s(pressed, 2.0) == pytest.approx(29.5)
    # A segment whose sound has a hole is short of it.
    holed = measures.Probed(tuple(packets(0.0, 0.02, 1.96, 1.98)), ())
    assert measures.sound_off_s(holed, 2.0) == pytest.approx(-1.92)


def test_combs_are_lines_that_differ_from_both_neighbours():
    line, other = bytes(measures.BAND_WIDTH), b"\xff" * measures.BAND_WIDTH
    combed, edge, plain = (line + other) * 4, line * 4 + other * 4, line * 8
    assert measures.combed_share(combed, 8) == 1
    assert measures.combed_share(edge + plain, 8) == 0
    assert measures.combed_share(combed + edge + plain + plain, 8) == 0.25
    assert measures.combed_share(b"", 8) == 0


def bar(*places: int) -> bytes:
    """Return pictures of two lines with a bright bar at these columns."""
    lines = [bytes([255 * (at <= x < at + 15) for x in range(measures.BAND_WIDTH)]) for at in places]
    return b"".join(line * 2 for line in lines)


def test_a_bar_moves_on_moves_back_and_begins_again():
    assert measures.bar_steps(bar(0, 2, 4, 6), 2) == (3, 0)
    assert measures.bar_steps(bar(0, 0, 2, 2), 2) == (1, 0)
    # Two fields in the wrong order.
    assert measures.bar_steps(bar(2, 0, 6, 4, 10), 2) == (2, 2)
    assert measures.bar_steps(bar(70, 73, 1, 3), 2) == (3, 0)
    assert measures.bar_steps(b"", 2) == (0, 0)


def test_what_filters_print_becomes_pictures_and_levels():
    copies = bytes(measures.FRAME_BYTES) + b"\1" * measures.FRAME_BYTES
    frames, levels = measures.decoded(PRINTED, copies)
    # Another graph of filters, after a change of format, continues in the same order.
    assert [(frame.at_s, frame.pixels[0]) for frame in frames] == [(1.4, 0), (1.44, 1)]
    assert [(level.at_s, level.loud_db) for level in levels] == [(1.4, -21.5), (1.421, measures.SILENCE_DB)]
    assert levels[0].crossings_per_s == pytest.approx(480)
