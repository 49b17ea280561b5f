"""Compares the first rendition of a multivariant playlist with the newest segment: pure functions."""

import m3u8

from tests.media.judging.measures import Probed

# As ffmpeg names a codec, and how its name in CODECS begins (RFC 6381).
CODECS = {
    "h264": ("avc1", "avc3"),
    "hevc": ("hvc1", "hev1"),
    "aac": ("mp4a.40",),
    "mp2": ("mp4a.40.33", "mp4a.69", "mp4a.6B"),
    "mp3": ("mp4a.40.34", "mp4a.69", "mp4a.6B"),
    "ac3": ("ac-3",),
    "eac3": ("ec-3",),
}


def broken_promises(multivariant: str, newest: Probed) -> list[str]:
    """Return what RESOLUTION and CODECS say that the segment is not."""
    variants = m3u8.loads(multivariant).playlists
    if not variants:
        return ["the multivariant playlist has no variant"]
    info, faults = variants[0].stream_info, []
    promised = "x".join(map(str, info.resolution or ()))
    if promised != newest.size:
        faults.append(f"RESOLUTION is {promised or 'missing'}, the newest segment has {newest.size}")
    codecs = [name.strip() for name in (info.codecs or "").split(",")]
    for codec in newest.codecs:
        known = CODECS.get(codec, ())
        if known and not any(name.startswith(known) for name in codecs):
            faults.append(f"CODECS is {info.codecs or 'missing'}, the newest segment has {codec}")
    return faults
