"""ADTS headers (ISO/IEC 14496-3), with which every AAC packet describes itself."""

HEADER_BYTES = 7
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
LOW_COMPLEXITY = 2


def adts_header(config: bytes) -> bytes:
    """Return the 7 bytes of a header, without a length, for an AudioSpecificConfig; `b""` where ADTS has none for it.

    Explicit SBR is left out: decoders find it without it. Only the configuration can describe a custom layout (0).
    """
    kind, index = config[0] >> 3, (config[0] & 7) << 1 | config[1] >> 7
    channels = config[1] >> 3 & 0x0F
    if kind in (5, 29) and index != 15 and len(config) >= 3:
        kind = LOW_COMPLEXITY
    if not 1 <= kind <= 4 or index >= len(RATES) or not 1 <= channels <= 7:
        return b""
    return header_of(kind, index, channels)


def header_of(kind: int, rate_index: int, channels: int) -> bytes:
    """Return a header without a length. `kind` is the audio object type, `rate_index` an index into `RATES`."""
    return bytes((0xFF, 0xF1, (kind - 1) << 6 | rate_index << 2 | channels >> 2, (channels & 3) << 6, 0, 0x1F, 0xFC))


def adts_packet(header: bytes, data: bytes) -> bytes:
    """Return a coded frame behind its header, with the length set."""
    length = len(data) + HEADER_BYTES
    return header[:3] + bytes((header[3] | length >> 11 & 3, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC)) + data


def form_of(packet: bytes) -> tuple[int, int] | None:
    """Return a packet's index into `RATES` and its number of channels; None if it has no header."""
    if len(packet) < HEADER_BYTES or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        return None
    index, channels = packet[2] >> 2 & 0x0F, (packet[2] & 1) << 2 | packet[3] >> 6
    return (index, channels) if index < len(RATES) else None
