"""Known bugs of the media path: each removes one repair of the input."""

from tests.faults.mutants.mutant import Mutant, zoo

SOUND = "worker/transcoding/sound_line.py"
SLOTS = "worker/transcoding/slot_clock.py"
STAMPS = "worker/receiving/timestamps.py"
HLS_SESSION = "worker/ingest/hls/session.py"
INTERLEAVING = "worker/receiving/interleaving.py"
PACKETS = "worker/receiving/packets.py"
TRACKS = "worker/receiving/tracks.py"
TABLES = "worker/receiving/ts_tables.py"
PICTURES = "worker/transcoding/picture_former.py"
INTERLACING = "worker/transcoding/interlace_detector.py"
HLS = "worker/transcoding/ladder_encoder.py"
RATES = "worker/encoding/output_rate.py"
DECODING = "worker/transcoding/decoders.py"

KILLED = ("tests/integration/worker/test_what_viewers_get.py::test_a_killed_encoder_costs_no_picture",)

MUTANTS_OF_MEDIA = {
    "media: a gap in the sound is not filled": Mutant(
        SOUND, "if missing > off_max:", "if False:", zoo("gap-300ms-44k", "gap-aac-8k")
    ),
    "media: sound that overlaps is not trimmed": Mutant(
        SOUND, "elif missing < -off_max:", "elif False:", zoo("overlap-500ms")
    ),
    "media: sound is not stretched": Mutant(
        SOUND,
        ":async=240:min_comp=0.005:comp_duration=1:max_soft_comp={STRETCH}:min_hard_comp=10",
        "",
        zoo("gaps-20ms-stretched"),
    ),
    "media: the sound of a fragment comes behind all its pictures": Mutant(
        INTERLEAVING, "elif read.continues:", "elif False:", zoo("hls-fmp4", "hls-fmp4-6s", "hls-fmp4-slides")
    ),
    "media: a recording that has ended is played again": Mutant(
        HLS_SESSION,
        "passed_on = live.update(body, read, now_s)",
        "passed_on = body if read.is_ended else live.update(body, read, now_s)",
        ("tests/unit/worker/ingest/test_hls_recordings.py",),
    ),
    "media: a skip behind a discontinuity tag is kept as a pause": Mutant(
        STAMPS,
        "if self._pass_tag(track):",
        "if False:",
        ("tests/integration/worker/pulling/test_pulled_hls.py", "tests/unit/worker/receiving/test_timestamps.py"),
    ),
    "media: the picture does not wait for its sound": Mutant(
        SLOTS, "return picture_us - self.ends_us >= self.sound_patience.us", "return True", zoo("sound-comes-late")
    ),
    "media: silence does not replace sound that ends": Mutant(
        SLOTS,
        "return picture_us - self.ends_us >= self.sound_patience.us",
        "return False",
        zoo("sound-ends", "sound-hole-9s"),
    ),
    "media: the last picture is not repeated": Mutant(
        SLOTS, "return sound_us - self.picture_by_us >= self.picture_patience.us", "return False", zoo("picture-ends")
    ),
    "media: time stamps are not corrected": Mutant(
        STAMPS,
        "elif not self._fits(dts_us + track.offset_us, track.next_us, self._ahead_us(waited_us)):",
        "elif False:",
        zoo("jump-1h-back", "stamps-restart"),
    ),
    "media: a loop continues at the decoding time": Mutant(
        STAMPS,
        "offset_us = self.end_us - start_us",
        "offset_us = max(track.next_us for track in self._tracks.values()) - start_us",
        zoo("loop-5fps-b-frames"),
    ),
    "media: the clocks of tracks that jump together are not kept together": Mutant(
        STAMPS,
        "        for offset_us in self._offsets:\n            if offset_us != track.offset_us and",
        "        for offset_us in ():\n            if offset_us != track.offset_us and",
        zoo("stamps-restart", "jump-3s-back"),
    ),
    "media: the default disposition is ignored": Mutant(
        TRACKS,
        "return next((s for s in streams if s.disposition & Disposition.default), streams[0])",
        "return streams[0]",
        zoo("default-second"),
    ),
    "media: the chosen programme is ignored": Mutant(
        TRACKS, "return wanted", "return next(iter(programs))", zoo("two-services-second")
    ),
    "media: the chosen audio track is ignored": Mutant(
        TRACKS, "audio = sounds[audio_track - 1] if audio_track else", "audio =", zoo("choose-second")
    ),
    "media: a picture ends only where the next one begins": Mutant(
        TABLES, "elif pid in self._ends.pids and", "elif False and", zoo("slides-sent")
    ),
    "media: what ends a picture is taken for one": Mutant(
        PACKETS,
        "converted = [(each, data) for each, data in converted if not is_end(data)]",
        "",
        ("tests/unit/worker/receiving/test_ts_pictures.py",),
    ),
    "media: a slide counts as time that has passed": Mutant(
        STAMPS,
        "track.step_us = min(duration_us, STEP_US_MAX)",
        "track.step_us = duration_us",
        zoo("slides-sent-rarely"),
    ),
    "media: all sound before the first picture is kept for it": Mutant(
        "worker/receiving/__main__.py", "deque(maxlen=WAITING_MAX)", "deque()", zoo("slides-sent-late")
    ),
    "media: sound that is added later is not opened": Mutant(
        TABLES, "return before is not None and {", "return False and {", zoo("sound-added")
    ),
    "media: a change of format is not noticed in a copy": Mutant(
        PACKETS, "return not first", "return False", zoo("size-changes-copied")
    ),
    "media: HEVC is not copied": Mutant(
        "worker/encoding/copy_segmentation.py",
        'COPIED_VIDEO = ("h264", "hevc")',
        'COPIED_VIDEO = ("h264",)',
        zoo("h264-to-hevc-copied", "copied-hevc"),
    ),
    "media: mpv is given another codec than it was opened with": Mutant(
        "player/media/codec_change.py",
        "if codec is None or codec == self._codec:",
        "if True:",
        ("tests/unit/player/test_player_codec_parts.py",),
    ),
    "media: bytes that prevent start codes are taken for HEVC's profile": Mutant(
        "worker/publishing/playlists/codec_names.py",
        'EMULATION_PREVENTION.sub(b"", found[1])[1:13]',
        "found[1][1:13]",
        ("tests/unit/worker/publishing/test_variants.py",),
    ),
    "media: ADTS headers lose the channels": Mutant(
        "worker/media/adts.py",
        "index << 2 | channels >> 2, (channels & 3) << 6, 0",
        "index << 2, 0, 0",
        zoo("copied-mp4"),
    ),
    "media: a run that replaces a crashed one waits for the next keyframe": Mutant(
        "worker/supervision/run.py", "replay=plan.begins_us is not None", "replay=False", KILLED
    ),
    "media: interlaced pictures are not deinterlaced": Mutant(
        PICTURES, "if picture_format.interlaced else []", "if False else []", zoo("interlaced-tff")
    ),
    "media: of two fields one is shown twice": Mutant(
        PICTURES, "'send_field' if fields else 'send_frame'", "'send_frame'", zoo("interlaced-full-rate")
    ),
    "media: the second field is taken for the first": Mutant(
        PICTURES, ":deint=all", ":parity=tff:deint=all", zoo("interlaced-full-rate")
    ),
    "media: fields are not counted as pictures": Mutant(
        RATES, "if 2 * rate <= bound:", "if False:", zoo("interlaced-full-rate")
    ),
    "media: a ladder's bound of pictures is ignored": Mutant(
        RATES, "bound = fps_max * TOLERANCE", "bound = RATE_DEFAULT * TOLERANCE", zoo("rate-5994-full")
    ),
    "media: undeclared interlacing is not looked for": Mutant(
        INTERLACING,
        "return bool(self._declared_left) or self._is_combed",
        "return bool(self._declared_left)",
        zoo("interlaced-undeclared"),
    ),
    "media: a rotation is ignored": Mutant(
        PICTURES, "filters += TURNS.get(picture_format.rotation, [])", "", zoo("rotated-90")
    ),
    "media: a phone's rotation is not seen where it is copied": Mutant(
        PACKETS,
        "self.rotation, self._has_rotation = rotation_of(packet), False",
        "self._has_rotation = False",
        zoo("rotated-90-copied"),
    ),
    "media: the form of raw pictures is not known": Mutant(
        PACKETS, "self.codec not in PARAMETERS", "False", zoo("raw-avi")
    ),
    "media: a palette is lost": Mutant(
        "worker/media/pictures.py", "packet.set_sidedata(side_data)", "", zoo("raw-palette")
    ),
    "media: the pixels' shape is ignored": Mutant(
        DECODING, "return self._codec.sample_aspect_ratio or Fraction(1)", "return Fraction(1)", zoo("sar-16-11")
    ),
    "media: HDR is not mapped": Mutant(
        PICTURES, "VideoReformatter() if picture_format.is_hdr else None", "None", zoo("hdr-pq")
    ),
    "media: colours are not named": Mutant(
        HLS, "_tag(stream.codec_context, picture)", "pass", ("tests/unit/worker/transcoding/test_ladder_encoder.py",)
    ),
    "media: full range is not converted": Mutant(PICTURES, ":out_range=tv", ":out_range=pc", zoo("dark-full-range")),
}
