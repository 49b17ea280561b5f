"""Names of codecs by RFC 6381, from a picture's decoder parameters: pure functions."""

import re

# The header of H.264's sequence parameters with its start code; profile, constraints and level follow.
H264_PARAMETERS = re.compile(rb"\x00\x00\x01[\x07\x27\x47\x67](...)", re.DOTALL)
# HEVC's, and what follows: a byte of numbers, and the general part of `profile_tier_level`.
HEVC_PARAMETERS = re.compile(rb"\x00\x00\x01\x42.(.{13,24})", re.DOTALL)
# A byte that keeps zeros from looking like a start code.
EMULATION_PREVENTION = re.compile(rb"(?<=\x00\x00)\x03")
PROFILE_SPACES = ("", "A", "B", "C")


def picture_name(codec: str, parameters: bytes) -> str | None:
    """Return the name of a picture's codec; None where `parameters`, in Annex B, lack it."""
    if codec == "h264":
        found = H264_PARAMETERS.search(parameters)
        return f"avc1.{found[1].hex().upper()}" if found else None
    if codec == "hevc":
        found = HEVC_PARAMETERS.search(parameters)
        general = EMULATION_PREVENTION.sub(b"", found[1])[1:13] if found else b""
        return _hevc(general) if len(general) == 12 else None
    return None


def _hevc(general: bytes) -> str:
    """Return the name by ISO/IEC 14496-15, annex E.

    `hvc1` and not `hev1`, though both are true of a segment: Apple's players accept `hvc1` alone, and all others both.
    """
    space, tier, profile = PROFILE_SPACES[general[0] >> 6], "LH"[general[0] >> 5 & 1], general[0] & 0x1F
    compatible = int(f"{int.from_bytes(general[1:5]):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in general[5:11].rstrip(b"\x00")]
    return ".".join((f"hvc1.{space}{profile}", f"{compatible:X}", f"{tier}{general[11]}", *constraints))
