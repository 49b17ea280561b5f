"""The newest pictures of a live source, kept for the ffmpeg that will play it: from the last keyframe on.

So a run begins with a picture at once, wherever in its group of pictures the source is just then.
"""

PACKET_BYTES = 188
# A source whose keyframes are further apart than this loses what it has kept: its run waits for the next keyframe.
BYTES_MAX = 16 << 20
# ffmpeg's muxer numbers its streams from here, and the picture is the first.
VIDEO_PID = 0x100


class Backlog:
    """Packets of an MPEG transport stream that has its tables in front of every picture (`pat_pmt_at_frames`)."""

    def __init__(self) -> None:
        self._kept = bytearray()
        # As far as it was looked through, where the tables stand that were seen last, and the last keyframe's.
        self._seen = 0
        self._tables = 0
        self._keyframe = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, data: bytes) -> None:
        """What has come in; pieces may end anywhere."""
        self._kept += data
        while self._seen + PACKET_BYTES <= len(self._kept):
            at, self._seen = self._seen, self._seen + PACKET_BYTES
            pid = (self._kept[at + 1] & 0x1F) << 8 | self._kept[at + 2]
            if pid == 0:
                self._tables = at
            elif pid == VIDEO_PID and _is_keyframe(self._kept, at):
                self._keyframe = self._tables

    def trim(self) -> None:
        """Keep only what nobody can do without who begins now."""
        self._forget(self._seen if len(self._kept) > BYTES_MAX else self._keyframe)

    def take(self) -> bytes:
        """All whole packets that are kept. They are kept no longer."""
        whole = bytes(self._kept[: self._seen])
        self._forget(self._seen)
        return whole

    def _forget(self, count: int) -> None:
        del self._kept[:count]
        self._seen -= count
        self._tables = max(0, self._tables - count)
        self._keyframe = max(0, self._keyframe - count)


def _is_keyframe(data: bytearray, at: int) -> bool:
    """Whether a picture begins here that players can begin with: the adaptation field says so."""
    begins, adapted = data[at + 1] & 0x40, data[at + 3] & 0x20
    return bool(begins and adapted and data[at + 4] and data[at + 5] & 0x40)
