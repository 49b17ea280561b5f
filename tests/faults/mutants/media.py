"""Known bugs of the media path apart from its pictures: each removes one repair of the input."""

from tests.faults.mutants.mutant import Mutant, zoo

SOUND = "worker/transcoding/sound_line.py"
SLOTS = "worker/transcoding/slot_clock.py"
STAMPS = "worker/receiving/timestamps.py"
HLS_SESSION = "worker/ingest/hls/session.py"
INTERLEAVING = "worker/receiving/interleaving.py"
PACKETS = "worker/receiving/packets.py"
TRACKS = "worker/receiving/tracks.py"
TABLES = "worker/receiving/ts_tables.py"

KILLED = ("tests/integration/worker/test_what_viewers_get.py::test_a_killed_encoder_costs_no_picture",)

MUTANTS_OF_MEDIA = (
    Mutant(
        "media: a gap in the sound is not filled",
        SOUND,
        "        if missing > off_max:\n",
        "        if False:\n",
        tests=zoo("gap-300ms-44k", "gap-aac-8k"),
    ),
    Mutant(
        "media: sound that overlaps is not trimmed",
        SOUND,
        "        elif missing < -off_max:\n",
        "        elif False:\n",
        tests=zoo("overlap-500ms"),
    ),
    Mutant(
        "media: sound is not stretched",
        SOUND,
        ":async=240:min_comp=0.005:comp_duration=1:max_soft_comp={STRETCH}:min_hard_comp=10",
        "",
        tests=zoo("gaps-20ms-stretched"),
    ),
    Mutant(
        "media: the sound of a fragment comes behind all its pictures",
        INTERLEAVING,
        "        elif read.continues:\n",
        "        elif False:\n",
        tests=zoo("hls-fmp4", "hls-fmp4-6s", "hls-fmp4-slides"),
    ),
    Mutant(
        "media: a recording that has ended is played again",
        HLS_SESSION,
        "            passed_on = live.update(body, read, now_s)\n",
        "            passed_on = body if read.is_ended else live.update(body, read, now_s)\n",
        tests=("tests/unit/worker/ingest/test_hls_recordings.py",),
    ),
    Mutant(
        "media: a skip behind a discontinuity tag is kept as a pause",
        STAMPS,
        "            if self._pass_tag(track):\n",
        "            if False:\n",
        tests=("tests/integration/worker/pulling/test_pulled_hls.py", "tests/unit/worker/receiving/test_timestamps.py"),
    ),
    Mutant(
        "media: the picture does not wait for its sound",
        SLOTS,
        "return picture_us - self.ends_us >= self.sound_patience.us",
        "return True",
        tests=zoo("sound-comes-late"),
    ),
    Mutant(
        "media: silence does not replace sound that ends",
        SLOTS,
        "return picture_us - self.ends_us >= self.sound_patience.us",
        "return False",
        tests=zoo("sound-ends", "sound-hole-9s"),
    ),
    Mutant(
        "media: the last picture is not repeated",
        SLOTS,
        "return sound_us - self.picture_by_us >= self.picture_patience.us",
        "return False",
        tests=zoo("picture-ends"),
    ),
    Mutant(
        "media: time stamps are not corrected",
        STAMPS,
        "        elif not self._fits(dts_us + track.offset_us, track.next_us, self._ahead_us(waited_us)):\n",
        "        elif False:\n",
        tests=zoo("jump-1h-back", "stamps-restart"),
    ),
    Mutant(
        "media: a loop continues at the decoding time",
        STAMPS,
        "        offset_us = self.end_us - start_us\n",
        "        offset_us = max(track.next_us for track in self._tracks.values()) - start_us\n",
        tests=zoo("loop-5fps-b-frames"),
    ),
    Mutant(
        "media: the clocks of tracks that jump together are not kept together",
        STAMPS,
        "        for offset_us in self._offsets:\n            if offset_us != track.offset_us and",
        "        for offset_us in ():\n            if offset_us != track.offset_us and",
        tests=zoo("stamps-restart", "jump-3s-back"),
    ),
    Mutant(
        "media: the default disposition is ignored",
        TRACKS,
        "return next((s for s in streams if s.disposition & Disposition.default), streams[0])",
        "return streams[0]",
        tests=zoo("default-second"),
    ),
    Mutant(
        "media: the chosen programme is ignored",
        TRACKS,
        "        return wanted\n",
        "        return next(iter(programs))\n",
        tests=zoo("two-services-second"),
    ),
    Mutant(
        "media: the chosen audio track is ignored",
        TRACKS,
        "audio = sounds[audio_track - 1] if audio_track else",
        "audio =",
        tests=zoo("choose-second"),
    ),
    Mutant(
        "media: a picture ends only where the next one begins",
        TABLES,
        "            elif pid in self._ends.pids and",
        "            elif False and",
        tests=zoo("slides-sent"),
    ),
    Mutant(
        "media: what ends a picture is taken for one",
        PACKETS,
        "        converted = [(each, data) for each, data in converted if not is_end(data)]\n",
        "",
        tests=("tests/unit/worker/receiving/test_ts_pictures.py",),
    ),
    Mutant(
        "media: a slide counts as time that has passed",
        STAMPS,
        "            track.step_us = min(duration_us, STEP_US_MAX)\n",
        "            track.step_us = duration_us\n",
        tests=zoo("slides-sent-rarely"),
    ),
    Mutant(
        "media: all sound before the first picture is kept for it",
        "worker/receiving/__main__.py",
        "deque(maxlen=WAITING_MAX)",
        "deque()",
        tests=zoo("slides-sent-late"),
    ),
    Mutant(
        "media: sound that is added later is not opened",
        TABLES,
        "        return before is not None and {",
        "        return False and {",
        tests=zoo("sound-added"),
    ),
    Mutant(
        "media: a change of format is not noticed in a copy",
        PACKETS,
        "        return not first\n",
        "        return False\n",
        tests=zoo("size-changes-copied"),
    ),
    Mutant(
        "media: HEVC is not copied",
        "worker/encoding/copy_segmentation.py",
        'COPIED_VIDEO = ("h264", "hevc")',
        'COPIED_VIDEO = ("h264",)',
        tests=zoo("h264-to-hevc-copied", "copied-hevc"),
    ),
    Mutant(
        "media: mpv is given another codec than it was opened with",
        "player/media/codec_change.py",
        "            if codec is None or codec == self._codec:\n",
        "            if True:\n",
        tests=("tests/unit/player/test_player_codec_parts.py",),
    ),
    Mutant(
        "media: bytes that prevent start codes are taken for HEVC's profile",
        "worker/publishing/playlists/codec_names.py",
        'EMULATION_PREVENTION.sub(b"", found[1])[1:13]',
        "found[1][1:13]",
        tests=("tests/unit/worker/publishing/test_variants.py",),
    ),
    Mutant(
        "media: ADTS headers lose the channels",
        "worker/media/adts.py",
        "index << 2 | channels >> 2, (channels & 3) << 6, 0",
        "index << 2, 0, 0",
        tests=zoo("copied-mp4"),
    ),
    Mutant(
        "media: a run that replaces a crashed one waits for the next keyframe",
        "worker/supervision/run.py",
        "replay=plan.begins_us is not None",
        "replay=False",
        tests=KILLED,
    ),
)
