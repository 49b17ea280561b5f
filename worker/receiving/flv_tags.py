"""The tags of an FLV stream, as RTMP brings it: they show tracks that appear or change after the opening."""

AUDIO_TAG, VIDEO_TAG, SCRIPT_TAG = 8, 9, 18
HEADER_BYTES, TAG_HEADER_BYTES = 13, 15  # a tag's 11 bytes, and the 4 bytes of the size of the tag before
AAC, MP3, AVC = 10, 2, 7
ENHANCED_VIDEO, ENHANCED_AUDIO, SEQUENCE_START, CODED_FRAMES = 0x80, 9, 0, 1


class FlvTags:
    """A filter that passes an FLV stream on, tag by tag, up to where a track appears or its sound changes.

    After such a change, `reopen` begins the next part.
    """

    def __init__(self) -> None:
        self.has_changed = False
        # Once the tracks are known, a tag of another kind, or of other sound, is a change.
        self.is_fixed = False
        self._kinds: set[int] = set()
        self._rest = bytearray()
        # The rest has no whole tag before it has so many bytes.
        self._needed = HEADER_BYTES
        self._header = b""
        # The codec, and its configuration.
        self._sound = (b"", b"")
        self._described: dict[int, bytes] = {}

    def feed(self, data: bytes) -> bytes:
        """Return the whole tags that can be passed on; those from a change on are kept for the next part."""
        self._rest += data
        if len(self._rest) < self._needed:
            return b""
        data, at = bytes(self._rest), 0
        if not self._header:
            self._header, at = data[:HEADER_BYTES], HEADER_BYTES
        self._needed = TAG_HEADER_BYTES
        while at + TAG_HEADER_BYTES <= len(data):
            kind, size = data[at] & 0x1F, int.from_bytes(data[at + 1 : at + 4], "big")
            end = at + TAG_HEADER_BYTES + size
            if end > len(data):
                self._needed = end - at
                break
            if self._is_change(kind, data[at + 11 : end - 4]):
                self.has_changed = self.is_fixed
                if self.has_changed:
                    break
            self._keep(kind, data[at:end])
            at = end
        self._rest = bytearray(data[at:])
        return data[:at]

    def reopen(self) -> bytes:
        """Return the header and the tags that describe the tracks, for the part after a change."""
        self.has_changed = self.is_fixed = False
        return self._header[:4] + b"\x05" + self._header[5:] + b"".join(self._described.values())

    def _is_change(self, kind: int, body: bytes) -> bool:
        """Return whether a tag begins a track, or sound of another codec or configuration than before."""
        if kind not in (AUDIO_TAG, VIDEO_TAG):
            return False
        is_change = kind not in self._kinds
        self._kinds.add(kind)
        if kind == AUDIO_TAG and (sound := sound_after(self._sound, body)) != self._sound:
            is_change, self._sound = True, sound
            self._described.pop(AUDIO_TAG, None)
        return is_change

    def _keep(self, kind: int, tag: bytes) -> None:
        if kind == SCRIPT_TAG or describes(kind, tag[11:13]):
            self._described[kind] = tag


def sound_after(before: tuple[bytes, bytes], body: bytes) -> tuple[bytes, bytes]:
    """Return the codec and the configuration of the sound from a tag on."""
    if not body:
        return before
    codec, config = body[0] >> 4, None
    if codec == ENHANCED_AUDIO:
        kind = body[0] & 0x0F
        if kind not in (SEQUENCE_START, CODED_FRAMES):
            return before
        name, config = body[1:5], body[5:] if kind == SEQUENCE_START else None
    elif codec == AAC:
        name, config = b"AAC", body[2:] if body[1:2] == b"\0" else None
    else:
        # PCM has its rate and channels in the same byte, and nowhere else.
        name = b"MP3" if codec == MP3 else body[:1]
    if config is None:
        config = before[1] if name == before[0] else b""
    return name, config


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
