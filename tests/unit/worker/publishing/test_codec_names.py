import pytest

from worker.publishing.playlists.codec_names import picture_name

START = b"\x00\x00\x00\x01"
VPS, SLICE = START + bytes.fromhex("40010c01ffff"), START + bytes.fromhex("2601af")
SPS_H264 = START + bytes.fromhex("6764000dacd941419f9f")


def hevc(general: str) -> bytes:
    """Return parameters of a picture, between others."""
    return VPS + START + bytes.fromhex("420101" + general + "a00a080b9f6d96566924caf016a1220120") + SLICE


@pytest.mark.parametrize(
    ("general", "name"),
    [
        # x265: Main, Main 10, and 4:2:2, as in a stream, with bytes that prevent start codes.
        ("01600000030090000003000003003c", "hvc1.1.6.L60.90"),
        ("02200000030090000003000003005d", "hvc1.2.4.L93.90"),
        ("04080000030099a8000003000078", "hvc1.4.10.L120.99.A8"),
        # As in the examples of ISO/IEC 14496-15: the high tier, a profile space, all constraints, none.
        ("2160000000b0000000000099", "hvc1.1.6.H153.B0"),
        ("818000000001020304050699", "hvc1.B1.1.L153.1.2.3.4.5.6"),
        ("0140000000000000000003005a", "hvc1.1.2.L90"),
    ],
)
def test_hevc_is_named_by_its_profile_tier_level_and_constraints(general: str, name: str) -> None:
    assert picture_name("hevc", hevc(general)) == name


def test_what_has_no_parameters_has_no_name() -> None:
    assert picture_name("h264", SPS_H264) == "avc1.64000D"
    assert picture_name("h264", SPS_H264[:7]) is picture_name("mpeg2video", SPS_H264) is None
    for parameters in (VPS + SLICE, START + bytes.fromhex("4201016000000300900000"), b"", SPS_H264):
        assert picture_name("hevc", parameters) is None
