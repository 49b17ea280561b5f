"""The tags of an FLV stream, as RTMP brings it: they show tracks that appear after the opening."""

AUDIO_TAG, VIDEO_TAG, SCRIPT_TAG = 8, 9, 18
HEADER_BYTES, TAG_HEADER_BYTES = 13, 15  # a tag's 11 bytes, and the 4 bytes of the size of the tag before
AAC, AVC = 10, 7
ENHANCED_VIDEO, ENHANCED_AUDIO, SEQUENCE_START = 0x80, 9, 0


class FlvTags:
    """A filter that passes an FLV stream on, tag by tag, up to where a new track appears.

    After such a change, `reopen` begins the next part.
    """

    def __init__(self) -> None:
        self.has_changed = False
        # Once the tracks are known, a tag of another kind is a change.
        self.is_fixed = False
        self._kinds: set[int] = set()
        self._rest = b""
        self._header = b""
        self._described: dict[int, bytes] = {}

    def feed(self, data: bytes) -> bytes:
        """Return the whole tags that can be passed on; those from a change on are kept for the next part."""
        data = self._rest + data
        at = 0
        if not self._header:
            if len(data) < HEADER_BYTES:
                self._rest = data
                return b""
            self._header, at = data[:HEADER_BYTES], HEADER_BYTES
        while at + TAG_HEADER_BYTES <= len(data):
            kind, size = data[at] & 0x1F, int.from_bytes(data[at + 1 : at + 4], "big")
            end = at + TAG_HEADER_BYTES + size
            if end > len(data):
                break
            if kind in (AUDIO_TAG, VIDEO_TAG) and kind not in self._kinds:
                self._kinds.add(kind)
                self.has_changed = self.is_fixed
                if self.has_changed:
                    break
            self._keep(kind, data[at:end])
            at = end
        self._rest = data[at:]
        return data[:at]

    def reopen(self) -> bytes:
        """Return the header and the tags that describe the tracks, for the part after a change."""
        self.has_changed = self.is_fixed = False
        return self._header[:4] + b"\x05" + self._header[5:] + b"".join(self._described.values())

    def _keep(self, kind: int, tag: bytes) -> None:
        if kind == SCRIPT_TAG or describes(kind, tag[11:13]):
            self._described[kind] = tag


def describes(kind: int, begin: bytes) -> bool:
    """Return whether a tag with these first two bytes describes how to decode its track."""
    if len(begin) < 2:
        return False
    # Enhanced RTMP has a flag, or another number, before the kind of packet; a name of the codec follows.
    if kind == VIDEO_TAG:
        return (
            begin[0] & 0x0F == SEQUENCE_START if begin[0] & ENHANCED_VIDEO else begin[0] & 0x0F == AVC and not begin[1]
        )
    if kind == AUDIO_TAG:
        codec = begin[0] >> 4
        return begin[0] & 0x0F == SEQUENCE_START if codec == ENHANCED_AUDIO else codec == AAC and not begin[1]
    return False
