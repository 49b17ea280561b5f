"""Watches a frozen source until something happens in it; nothing is encoded."""

from collections.abc import Mapping
from typing import Any

from worker.media.messages import AUDIO, PacketMessage
from worker.transcoding.decoders import AudioDecoder, VideoDecoder
from worker.transcoding.repairs import RunRepairs
from worker.transcoding.stillness import differs, is_audible, sample_points

# The least pictures that moved, or pieces of sound: fewer may be an accident.
HAPPENED_MIN = 12


class SourceMoved(Exception):
    """The source moves again."""


class MovementDetector:
    """A run without output; `advance` raises `SourceMoved` once the source moves or is heard again."""

    out_us = 0
    source_us: int | None = None
    size: tuple[int, int] | None = None

    def __init__(self, repairs: RunRepairs) -> None:
        self._repairs = repairs
        self._video: VideoDecoder | None = None
        self._audio: AudioDecoder | None = None
        self._before = b""
        self._happened = -1
        self._had_keyframe = False

    def tracks(self, described: Mapping[str, Any]) -> None:
        """Take the description of the source's tracks from now on."""
        self._video = VideoDecoder(described["video"])
        self._audio = AudioDecoder(described["audio"]) if described["audio"] else None

    def packet(self, packet: PacketMessage, now_s: float) -> None:
        """Decode a packet."""
        if packet.stream == AUDIO:
            sound = self._audio.decode(packet, self._repairs) if self._audio else ()
            self._happened += sum(is_audible(data) for _, data in sound)
        elif self._video and (self._had_keyframe or packet.is_keyframe):
            self._had_keyframe = True
            for _, frame in self._video.decode(packet, self._repairs):
                points, before = sample_points(frame), self._before
                self._before = points
                self._happened += differs(before, points)

    def advance(self, now_s: float) -> None:
        """Raise `SourceMoved` if enough has happened."""
        if self._happened >= HAPPENED_MIN:
            raise SourceMoved
