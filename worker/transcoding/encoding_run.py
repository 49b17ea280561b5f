"""An encoding run: it decodes packets and makes a slot (a picture and its sound) at each interval, also in pauses."""

from collections import deque
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from worker.media.messages import AUDIO, PacketMessage
from worker.transcoding.decoders import AudioDecoder, VideoDecoder
from worker.transcoding.interlace_detector import InterlaceDetector
from worker.transcoding.ladder_encoder import LadderEncoder
from worker.transcoding.picture_former import PictureFormat, PictureFormer
from worker.transcoding.plan import BYTES_PER_SAMPLE, SAMPLE_RATE, TranscodePlan
from worker.transcoding.repairs import RunRepairs
from worker.transcoding.slot_clock import SlotClock
from worker.transcoding.sound_line import SoundLine
from worker.transcoding.source_activity import SourceActivity
from worker.transcoding.stillness import StillnessDetector

# Formed pictures that wait for their slot; fewer in the largest ladders, for `worker.processes.limits`.
PICTURES_MAX = 240
PICTURES_BYTES_MAX = 2 << 30
# Pieces of sound that wait for the first picture: ten seconds.
EARLY_MAX = 500


class SourceFrozen(Exception):
    """The source's picture stood still, and it was silent, for as long as is allowed."""


class EncodingRun:
    """A run that makes the slots that are due at each `advance`."""

    def __init__(self, plan: TranscodePlan, repairs: RunRepairs) -> None:
        self._plan = plan
        self._repairs = repairs
        self._encoder = LadderEncoder(plan)
        self._former = PictureFormer(plan.renditions, fields=plan.fields)
        self._interlacing = InterlaceDetector()
        self._stillness = StillnessDetector()
        self.activity = SourceActivity()
        self._video: VideoDecoder | None = None
        self._rotation = 0
        # A decoder cannot begin anywhere else.
        self._had_keyframe = False
        self._audio: AudioDecoder | None = None
        self._slot_us = float(1_000_000 / plan.rate)
        # In an interlaced source, a progressive picture lasts as long as two fields.
        self._lasts_us = self._slot_us * (1.5 if plan.fields else 0.5)
        self._clock: SlotClock | None = None
        self._sound: SoundLine | None = None
        self._pictures: deque[tuple[int, list[Any]]] = deque()
        self._pictures_max = min(PICTURES_MAX, PICTURES_BYTES_MAX // plan.picture_bytes)
        self._shown: tuple[int, list[Any]] | None = None
        self._picture_end_us: int | None = None
        self._early: deque[tuple[int, bytes]] = deque(maxlen=EARLY_MAX)
        self._heard_s = 0.0
        self._sound_next_us = 0

    @property
    def out_us(self) -> int:
        """Return the duration of the output so far, in microseconds."""
        return round(self._clock.number * self._slot_us) if self._clock else 0

    @property
    def source_us(self) -> int | None:
        """Return the source's time at `out_us`; None before the first picture."""
        return round(self._clock.begins_us) if self._clock else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Return width and height of the newest picture, before it is turned; None before the first."""
        found = self._former.picture_format
        return (found.width, found.height) if found else None

    def tracks(self, described: Mapping[str, Any]) -> None:
        """Take the description of the source's tracks from now on."""
        video, audio = described["video"], described["audio"]
        self._rotation = video["rotation"]
        if self._sound:
            self._sound.restart_drift()
        if self._video is None or not self._video.follow(video):
            if self._video:
                self._flush_pictures()
                self._repairs.format_changes += 1
            self._video = VideoDecoder(video)
        if audio is None:
            self._audio = None
        elif self._audio is None or not self._audio.fits(audio):
            self._repairs.format_changes += self._audio is not None
            self._audio = AudioDecoder(audio)

    def packet(self, packet: PacketMessage, now_s: float) -> None:
        """Decode a packet."""
        self._heard_s = now_s
        if packet.stream == AUDIO:
            if self._audio:
                self._take_sound(packet)
        elif self._video and (self._had_keyframe or packet.is_keyframe):
            if not self._had_keyframe:
                self._had_keyframe = True
                self._show_first(packet)
            for at_us, frame in self._video.decode(packet, self._repairs):
                self._take_picture(packet.dts_us if at_us is None else at_us, frame)

    def advance(self, now_s: float) -> None:
        """Make all slots that are due. Raise `SourceFrozen`."""
        while self._clock and self._is_due(now_s):
            self._make_slot()

    def close(self) -> None:
        """Make the remaining slots, and finish."""
        self._flush_pictures()
        if self._clock and self._pictures:
            last_us = self._pictures[-1][0]
            while self._clock.picture_by_us - self._slot_us < last_us:
                self._make_slot()
        self._encoder.close()

    def _is_due(self, now_s: float) -> bool:
        clock, sound = self._clock, self._sound
        assert clock and sound
        sound_us = None
        if self._audio:
            sound_us = sound.origin_us + sound.end * 1_000_000 / SAMPLE_RATE
        return clock.is_due(self._picture_end_us, sound_us) or clock.idles(now_s, self._heard_s)

    def _flush_pictures(self) -> None:
        if self._video:
            for at_us, frame in self._video.decode(None, self._repairs):
                if at_us is not None:
                    self._take_picture(at_us, frame)

    def _show_first(self, packet: PacketMessage) -> None:
        """Begin with the first keyframe, however long the decoder waits for the pictures around it."""
        assert self._video
        if packet.pts_us is None or self._is_before(packet.pts_us):
            return
        first = self._video.first_picture(packet)
        if first:
            frame, pixel_aspect = first
            self._form(frame, packet.pts_us, pixel_aspect, interlaced=frame.interlaced_frame)

    def _take_picture(self, at_us: int, frame: Any) -> None:
        assert self._video
        if self._is_before(at_us):
            return
        self.activity.picture(at_us, frame)
        self._form(frame, at_us, self._video.pixel_aspect, interlaced=self._interlacing.look(frame))

    def _form(self, frame: Any, at_us: int, pixel_aspect: Fraction, *, interlaced: bool) -> None:
        picture_format = PictureFormat.of_frame(frame, pixel_aspect, rotation=self._rotation, interlaced=interlaced)
        if self._former.picture_format and picture_format != self._former.picture_format:
            self._repairs.format_changes += 1
        for shown_us, pictures in self._former.form(frame, at_us, picture_format):
            self._add_picture(shown_us, pictures)

    def _is_before(self, at_us: int) -> bool:
        """Return whether the last run has published this picture, so that it is only decoded."""
        begins_us = self._plan.begins_us
        return self._clock is None and begins_us is not None and at_us < begins_us - self._slot_us / 2

    def _add_picture(self, at_us: int, pictures: list[Any]) -> None:
        if self._clock is None:
            self._begin(at_us)
        assert self._clock
        self._move(self._clock.resume(at_us))
        late_us = self._clock.begins_us - self._slot_us / 2 - at_us
        if late_us > 0 and self._clock.number:
            self._clock.picture_patience.was_late(round(late_us))
        self._picture_end_us = max(at_us, self._picture_end_us or at_us)
        if len(self._pictures) >= self._pictures_max:
            self._pictures.popleft()
            self._repairs.pictures_dropped += 1
        if self._pictures and self._pictures[-1][0] == at_us:
            # The first picture comes once more, from the decoder that waited for those around it.
            self._pictures.pop()
        self._pictures.append((at_us, pictures))

    def _begin(self, origin_us: int) -> None:
        self._clock = SlotClock(origin_us, self._slot_us)
        self._sound = SoundLine(origin_us, self._repairs)
        for at_us, data in self._early:
            self._add_sound(at_us, data)
        self._early.clear()

    def _take_sound(self, packet: PacketMessage) -> None:
        assert self._audio
        # Without its own time it continues the last packet.
        at_us = packet.pts_us if packet.pts_us is not None else self._sound_next_us
        for own_us, data in self._audio.decode(packet, self._repairs):
            self.activity.sound(data)
            at_us = own_us if own_us is not None else at_us
            if self._clock:
                self._add_sound(at_us, data)
            else:
                self._early.append((at_us, data))
            at_us += len(data) // BYTES_PER_SAMPLE * 1_000_000 // SAMPLE_RATE
            self._sound_next_us = at_us

    def _add_sound(self, at_us: int, data: bytes) -> None:
        clock, sound = self._clock, self._sound
        assert clock and sound
        self._move(clock.resume(at_us))
        before = round((sound.origin_us - at_us) * SAMPLE_RATE / 1_000_000)
        if before > 0:
            data, at_us = data[before * BYTES_PER_SAMPLE :], sound.origin_us
        if not data:
            return
        late_us = sound.origin_us + sound.taken * 1_000_000 / SAMPLE_RATE - at_us
        if late_us > 0 and sound.taken:
            clock.sound_patience.was_late(round(late_us))
        sound.add(data, at_us)

    def _move(self, by_us: float) -> None:
        """Move the time line to continue where it was: the slots that the clock made were a pause."""
        if by_us and self._sound:
            self._sound.origin_us -= round(by_us)
            self._repairs.restarts_avoided += 1
            self._repairs.note("pause", f"nothing came for {by_us / 1e6:.1f} s: the last picture was repeated")

    def _make_slot(self) -> None:
        clock, sound = self._clock, self._sound
        assert clock and sound
        before = self._shown
        while self._pictures and self._pictures[0][0] < clock.picture_by_us:
            if self._shown is not before:
                self._repairs.pictures_dropped += 1
            self._shown = self._pictures.popleft()
        if self._shown is None:
            self._shown = self._pictures.popleft()
        elif self._shown is before and (paused_us := clock.begins_us - self._shown[0]) > self._lasts_us:
            self._repairs.count_repeat(round(clock.begins_us), round(paused_us))
        self._encoder.add_pictures(clock.number, self._shown[1])
        end = round((clock.number + 1) * SAMPLE_RATE / self._plan.rate)
        data, missing = sound.take(end - sound.taken)
        if self._audio:
            self._repairs.count_silence(missing)
        self._encoder.add_sound(data)
        clock.advance()
        if self._plan.frozen_after_s:
            self._stillness.look(self.out_us, self._shown[1][-1], data)
            if self._stillness.still_us >= self._plan.frozen_after_s * 1_000_000:
                raise SourceFrozen(f"the picture is frozen and silent for {self._plan.frozen_after_s} s")
