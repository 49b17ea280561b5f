"""Known bugs in how pictures are formed: each removes one repair, and quick zoo inputs find it."""

from tests.faults.mutants.mutant import Mutant, zoo

PICTURES = "worker/transcoding/picture_former.py"
INTERLACING = "worker/transcoding/interlace_detector.py"
HLS = "worker/transcoding/ladder_encoder.py"
RATES = "worker/encoding/output_rate.py"
DECODING = "worker/transcoding/decoders.py"
PACKETS = "worker/receiving/packets.py"

MUTANTS_OF_PICTURES = (
    Mutant(
        "media: interlaced pictures are not deinterlaced",
        PICTURES,
        "if picture_format.interlaced else []",
        "if False else []",
        tests=zoo("interlaced-tff"),
    ),
    Mutant(
        "media: of two fields one is shown twice",
        PICTURES,
        "'send_field' if fields else 'send_frame'",
        "'send_frame'",
        tests=zoo("interlaced-full-rate"),
    ),
    Mutant(
        "media: the second field is taken for the first",
        PICTURES,
        ":deint=all",
        ":parity=tff:deint=all",
        tests=zoo("interlaced-full-rate"),
    ),
    Mutant(
        "media: fields are not counted as pictures",
        RATES,
        "        if 2 * rate <= bound:\n",
        "        if False:\n",
        tests=zoo("interlaced-full-rate"),
    ),
    Mutant(
        "media: a ladder's bound of pictures is ignored",
        RATES,
        "bound = fps_max * TOLERANCE",
        "bound = RATE_DEFAULT * TOLERANCE",
        tests=zoo("rate-5994-full"),
    ),
    Mutant(
        "media: undeclared interlacing is not looked for",
        INTERLACING,
        "return bool(self._declared_left) or self._is_combed",
        "return bool(self._declared_left)",
        tests=zoo("interlaced-undeclared"),
    ),
    Mutant(
        "media: a rotation is ignored",
        PICTURES,
        "        filters += TURNS.get(picture_format.rotation, [])\n",
        "",
        tests=zoo("rotated-90"),
    ),
    Mutant(
        "media: a phone's rotation is not seen where it is copied",
        PACKETS,
        "self.rotation, self._has_rotation = rotation_of(packet), False",
        "self._has_rotation = False",
        tests=zoo("rotated-90-copied"),
    ),
    Mutant(
        "media: the form of raw pictures is not known",
        PACKETS,
        "self.codec not in PARAMETERS",
        "False",
        tests=zoo("raw-avi"),
    ),
    Mutant(
        "media: a palette is lost",
        "worker/media/pictures.py",
        "        packet.set_sidedata(side_data)\n",
        "",
        tests=zoo("raw-palette"),
    ),
    Mutant(
        "media: the pixels' shape is ignored",
        DECODING,
        "return self._codec.sample_aspect_ratio or Fraction(1)",
        "return Fraction(1)",
        tests=zoo("sar-16-11"),
    ),
    Mutant(
        "media: HDR is not mapped",
        PICTURES,
        "VideoReformatter() if picture_format.is_hdr else None",
        "None",
        tests=zoo("hdr-pq"),
    ),
    Mutant(
        "media: colours are not named",
        HLS,
        "                _tag(stream.codec_context, picture)\n",
        "                pass\n",
        tests=("tests/unit/worker/transcoding/test_ladder_encoder.py",),
    ),
    Mutant(
        "media: full range is not converted",
        PICTURES,
        ":out_range=tv",
        ":out_range=pc",
        tests=zoo("dark-full-range"),
    ),
)
