"""The multivariant playlist as text."""

from collections.abc import Sequence

import m3u8

from worker.publishing.channel import PLAYLIST
from worker.publishing.playlists.media_playlist import EPOCH_TAG, VERSION
from worker.publishing.playlists.variants import Variant


def render_multivariant(variants: Sequence[Variant], epoch: int) -> bytes:
    """Return the playlist, best rendition first."""
    lines = ["#EXTM3U", f"{EPOCH_TAG}{epoch}", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for variant in variants:
        # m3u8 would write 30 and 29.97 where the standard requires three places.
        lines += [f"#EXT-X-STREAM-INF:{','.join(_attributes(variant))}", f"{variant.name}/{PLAYLIST}"]
    return ("\n".join(lines) + "\n").encode()


def rendition_names(body: bytes) -> tuple[str, ...]:
    """Return the renditions that a stored playlist names; none if it cannot be read."""
    try:
        uris = [variant.uri or "" for variant in m3u8.loads(body.decode()).playlists]
    except (ValueError, LookupError, TypeError, AttributeError, m3u8.ParseError):
        return ()
    return tuple(uri.partition("/")[0] for uri in uris if uri.endswith(f"/{PLAYLIST}"))


def _attributes(variant: Variant) -> list[str]:
    rates, media_info = variant.declared, variant.media_info
    attributes = [f"BANDWIDTH={rates.peak_bps}", f"AVERAGE-BANDWIDTH={rates.average_bps}"]
    if media_info:
        attributes += [f"RESOLUTION={media_info.width}x{media_info.height}", f"FRAME-RATE={media_info.fps:.3f}"]
        attributes.append(f'CODECS="{media_info.codecs}"')
        # SDR is the default.
        attributes += [f"VIDEO-RANGE={media_info.video_range}"] if media_info.video_range != "SDR" else []
    return attributes
