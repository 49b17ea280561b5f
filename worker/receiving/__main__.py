"""Receive one source: `python -m worker.receiving`, with a `ReceiveRequest` on the standard input.

Messages of `worker.media.messages` go to the standard output, the media libraries' log to the standard error.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from av.error import FFmpegError, InvalidDataError

from worker.media.libav import set_up_program
from worker.media.messages import DATA_BYTES_MAX, VIDEO, Kind, PacketMessage, encode_json, encode_packet
from worker.processes.module_process import print_error
from worker.receiving.containers import ReceiveError, containers
from worker.receiving.decodability import DecodingTest, Undecodable
from worker.receiving.discontinuities import recent_tags
from worker.receiving.interleaving import Interleaver, PieceReader, ReadPacket, merge_in_order
from worker.receiving.pacing import Pacer
from worker.receiving.packets import AudioTrack, VideoTrack, message, times_of
from worker.receiving.request import EXIT_REFUSED, ReceiveRequest
from worker.receiving.timestamps import TimestampCorrector
from worker.receiving.tracks import TrackError, choose

# After so many damaged packets in a row the source has failed.
DAMAGED_MAX = 1_000
# The newest packets that wait for the first picture: ten seconds of sound.
WAITING_MAX = 500
# A track, the packets of its messages with their data, whether the format changes with them, and whether the packet
# continues its track's piece.
Converted = tuple[VideoTrack | AudioTrack, list[tuple[Any, bytes]], bool, bool]


class Receiver:
    """A copier of one source's packets, until the source ends."""

    def __init__(self, request: ReceiveRequest, output: int) -> None:
        self._request = request
        self._output = output
        self._times = TimestampCorrector(is_live=request.is_live, tags=partial(recent_tags, request))
        self._pacer = None if request.is_live else Pacer(lambda: self._write(encode_json(Kind.HELD, {})))
        self._interleaver = Interleaver(self._send)
        # A live source may be damaged where it begins.
        self._test = None if request.is_live else DecodingTest()
        # The picture track as it was described last.
        self._described: dict[str, Any] = {}

    def run(self) -> None:
        """Copy until the end. Raise `ReceiveError`."""
        request, has_begun = self._request, False
        for container, programs in containers(request):
            if has_begun and request.is_looped:
                if not self._described:
                    raise ReceiveError("the file has no picture that can be read", EXIT_REFUSED)
                self._times.restart(container.start_time or 0)
            has_begun = True
            try:
                chosen = choose(container, programs, request.program, request.audio_track)
            except TrackError as error:
                raise ReceiveError(str(error), EXIT_REFUSED) from None
            video = VideoTrack(chosen.video)
            audio = AudioTrack(chosen.audio) if chosen.audio else None
            try:
                self._copy(container, [video, *([audio] if audio else [])], list(chosen.offered))
            finally:
                self._interleaver.flush()

    def _copy(self, container: Any, tracks: list[VideoTrack | AudioTrack], offered: list[Any]) -> None:
        by_index = {track.stream.index: track for track in tracks}
        # Packets before the first picture wait for it: the description needs it.
        waiting: deque[ReadPacket] = deque(maxlen=WAITING_MAX)
        is_described = False
        # One track alone needs no order, and a live source is not read ahead of the clock.
        has_pieces = len(tracks) > 1 and not self._request.is_live
        for track, made, has_changed, is_in_piece in converted_packets(container, by_index):
            continues = is_in_piece and has_pieces
            read = [ReadPacket(track, each, data, times_of(each).dts_us or 0, continues) for each, data in made]
            if not is_described and (track is not tracks[0] or not read):
                self._wait(waiting, read)
                continue
            if has_changed or not is_described:
                self._describe(tracks, offered)
                read = merge_in_order(list(waiting), read)
                waiting.clear()
                is_described = True
            for each in read:
                self._interleaver.add(each)

    def _wait(self, waiting: deque[ReadPacket], read: list[ReadPacket]) -> None:
        was_full = len(waiting) == WAITING_MAX
        waiting.extend(read)
        if len(waiting) == WAITING_MAX and not was_full:
            self._write(encode_json(Kind.SOUND_ALONE, {}))

    def _describe(self, tracks: list[VideoTrack | AudioTrack], offered: list[Any]) -> None:
        self._interleaver.flush()
        described = {track.kind: track.describe() for track in tracks}
        self._described = described["video"]
        self._write(encode_json(Kind.TRACKS, {"audio": None, **described, "offered": offered}))

    def _send(self, read: ReadPacket) -> None:
        jumps, now_us = self._times.jumps, time.monotonic_ns() // 1000
        dts_us, shift_us = self._times.correct(read.track.number, times_of(read.packet), now_us)
        if self._times.jumps > jumps:
            self._write(encode_json(Kind.NOTE, {"note": "timestamp_jump"}))
        sent = message(read.track, read.packet, read.data, dts_us, shift_us)
        if len(sent.data) > DATA_BYTES_MAX:
            # The worker knows the tracks by now, and has another reason where they are too large.
            raise ReceiveError(
                f"it has a packet of {len(sent.data) >> 20} MiB; allowed: {DATA_BYTES_MAX >> 20} MiB", EXIT_REFUSED
            )
        if self._test and sent.stream == VIDEO:
            self._try(self._test, sent)
        if self._pacer:
            self._pacer.wait(sent.dts_us)
        self._write(encode_packet(sent))

    def _try(self, test: DecodingTest, sent: PacketMessage) -> None:
        try:
            test.look(self._described, sent)
        except Undecodable as error:
            raise ReceiveError(str(error), EXIT_REFUSED) from None
        if test.is_over:
            self._test = None

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._output, view) :]


def converted_packets(container: Any, tracks: Mapping[int, VideoTrack | AudioTrack]) -> Iterator[Converted]:
    """Yield what the tracks made of the packets that are not empty. Damaged ones are left out.

    `tracks` are by the index of their streams. The last value is `PieceReader.continues` of the packet.
    """
    damaged, streams, pieces = 0, [track.stream for track in tracks.values()], PieceReader()
    while damaged < DAMAGED_MAX:
        try:
            for packet in container.demux(streams):
                if packet.size:
                    track = tracks[packet.stream_index]
                    # A filter takes the packet over, and leaves it without its place.
                    continues = pieces.continues(packet)
                    made, has_changed = track.convert(packet)
                    damaged = 0
                    yield track, made, has_changed, continues
            return
        except (InvalidDataError, IndexError):
            # IndexError: a track has appeared that the library did not know at the opening. It is left out.
            damaged += 1


def main() -> int:
    """Run the receiver and return the exit status: see `worker.receiving.request`."""
    set_up_program("receiver")
    request = ReceiveRequest.from_json(sys.stdin.buffer.read())
    sys.stdin.close()
    try:
        Receiver(request, sys.stdout.fileno()).run()
    except BrokenPipeError:
        return 0
    except ReceiveError as error:
        print_error(error)
        return error.status
    except (FFmpegError, OSError) as error:
        print_error(error.strerror or error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
