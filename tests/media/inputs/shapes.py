"""Pictures as cameras, phones and broadcasters make them: interlaced, turned, stretched, deep, with other colours."""

from dataclasses import replace

from tests.media.inputs.feeds import looped, sent
from tests.media.inputs.model import Expect
from tests.media.inputs.recipes import AAC, TS, clip, moving_bar, picture, tone

PAL = (360, 288)
NONE_OR_FEW = {"pictures_repeated": (0, 5), "pictures_dropped": (0, 5)}
COMBED = Expect(progressive=True, shape=(5, 4))
# The badge, the corners and the clock stay where they are; a picture of two fields is made from 50 a second.
TFF, BFF = "tinterlace=interleave_top,fieldorder=tff", "tinterlace=interleave_bottom,fieldorder=bff"


def fields(then: str) -> str:
    """A picture of 50 fields a second with something that moves."""
    return moving_bar(360, 288, "50", then)


def turned(degrees: int, transpose: str, size: str = "180x320") -> tuple[str, ...]:
    """A phone's MP4: the picture is stored as the sensor lies, and a display matrix says how it is shown."""
    stored = clip("stored.mp4", 8, video=picture(size, then=transpose))
    return (stored, f"ffmpeg -i stored.mp4 -c copy -metadata:s:v rotate={degrees} in.mp4")


PORTRAIT = Expect(shape=(9, 16), has_clock=False, skew_s_max=None)
# Light above the range of ordinary screens, in a picture of 10 bits.
WIDE = (
    "format=yuv420p,setparams=color_trc=bt709:color_primaries=bt709:colorspace=bt709:range=tv,"
    "zscale=t=linear:npl=200,format=gbrpf32le"
)
HDR = Expect(vivid=True, may_refuse=("HDR", "high dynamic range"))


def hdr(transfer: str) -> str:
    """A film of a phone or a camera in HDR, in HEVC of 10 bits with its tags."""
    then = f"{WIDE},zscale=t={transfer}:p=2020:m=2020_ncl:r=tv:npl=200,format=yuv420p10le"
    tags = f"-color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc"
    colors = f"colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    x265 = f"-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none:{colors}"
    return f"ffmpeg {picture(then=then)} {tone()} -t 8 {x265} {tags} -g 50 {AAC} in.mp4"


INTERLACED = (
    looped(
        "interlaced-tff",
        "H.264 576i, top field first, declared (MBAFF)",
        "in.mp4",
        video=fields(TFF),
        encode="-flags +ildct+ilme -x264-params tff=1",
        expect=COMBED,
        size=PAL,
    ),
    looped(
        "interlaced-bff",
        "H.264, bottom field first, declared",
        "in.mkv",
        video=fields(BFF),
        encode="-flags +ildct+ilme -x264-params bff=1",
        expect=COMBED,
        size=PAL,
    ),
    sent(
        "interlaced-mpeg2-sent",
        "A broadcast feed by SRT: MPEG-2, top field first, anamorphic 64:45, MP2",
        f"ffmpeg {fields(TFF + ',setsar=64/45')} {tone()} -t 20 -c:v mpeg2video -b:v 2M -flags +ildct+ilme -top 1"
        f" -g 12 -bf 2 -c:a mp2 {TS} in.ts",
        expect=Expect(progressive=True),
        size=(512, 288),
    ),
    looped(
        "interlaced-full-rate",
        "H.264 576i, bottom field first: a ladder of 50 pictures a second has each field",
        "in.mp4",
        video=fields(BFF),
        encode="-flags +ildct+ilme -x264-params bff=1",
        expect=replace(COMBED, pictures_per_s=(49, 51), moves_per_s=(47, 51), repairs=NONE_OR_FEW),
        size=PAL,
        settings={"fps_max": 50},
    ),
    looped(
        "interlaced-full-rate-ntsc",
        "Transport stream of 480i at 29.97, top field first: 59.94 pictures a second",
        "in.ts",
        video=moving_bar(352, 240, "60000/1001", TFF),
        encode="-c:v mpeg2video -b:v 2M -flags +ildct+ilme -bf 2 -top 1",
        expect=Expect(progressive=True, shape=(22, 15), pictures_per_s=(59, 61), moves_per_s=(56, 61)),
        size=(352, 240),
        settings={"fps_max": 60},
    ),
    looped(
        "interlaced-undeclared",
        "Combs in a picture that is declared progressive",
        "in.mp4",
        video=fields(TFF + ",setfield=prog"),
        expect=COMBED,
        size=PAL,
    ),
    looped(
        "progressive-declared-interlaced",
        "Whole pictures that are declared interlaced",
        "in.mp4",
        encode="-flags +ildct+ilme -x264-params tff=1",
    ),
)

TURNED = (
    looped("rotated-90", "A phone held upright", "in.mp4", *turned(90, "transpose=1"), expect=PORTRAIT),
    looped("rotated-180", "A phone held upside down", "in.mp4", *turned(180, "hflip,vflip", "320x180")),
    looped(
        "rotated-270", "A phone held upright, the other way", "in.mp4", *turned(270, "transpose=2"), expect=PORTRAIT
    ),
    looped(
        "rotated-90-copied",
        "A phone held upright, passed on as it is",
        "in.mp4",
        *turned(90, "transpose=1"),
        profile="source",
        expect=replace(PORTRAIT, may_refuse=("turned",), sound_s_off_max=0.35),
    ),
    looped(
        "portrait",
        "A picture that is higher than wide, without a matrix",
        "in.mp4",
        video=picture("180x320"),
        expect=PORTRAIT,
    ),
)

STRETCHED = (
    looped(
        "sar-16-11",
        "A camcorder's wide picture: 176x144 with pixels of 16:11",
        "in.mp4",
        video=picture("176x144", then="setsar=16/11"),
    ),
    looped(
        "sar-64-45",
        "A DVD's wide picture: 180x144 with pixels of 64:45",
        "in.mkv",
        video=picture("180x144", then="setsar=64/45"),
    ),
    looped(
        "odd-size-444",
        "A screen region of 319x181 in 4:4:4",
        "in.mkv",
        video=picture("319x181", then="format=yuv444p"),
        encode="-pix_fmt yuv444p",
    ),
)

DEEP = (
    looped("h264-10bit", "H.264 of 10 bits", "in.mp4", encode="-pix_fmt yuv420p10le"),
    looped(
        "hevc-10bit",
        "HEVC of 10 bits, ordinary range",
        "in.mp4",
        encode="-c:v libx265 -pix_fmt yuv420p10le -x265-params log-level=none",
    ),
    looped("h264-422", "A camera's H.264 in 4:2:2, 10 bits", "in.mov", encode="-pix_fmt yuv422p10le -c:a pcm_s16le"),
    looped(
        "prores",
        "An editor's ProRes 422 in MOV with PCM",
        "in.mov",
        encode="-c:v prores_ks -profile:v 0 -pix_fmt yuv422p10le -c:a pcm_s16le",
    ),
    looped(
        "gray",
        "A thermal camera: gray only",
        "in.mp4",
        video=picture(then="format=gray"),
        encode="-pix_fmt gray",
        expect=Expect(upright=False),
    ),
    looped(
        "mjpeg-full-range",
        "A webcam's MJPEG in AVI, full range",
        "in.avi",
        encode="-c:v mjpeg -pix_fmt yuvj420p -q:v 5 -c:a pcm_s16le",
    ),
    looped(
        "dark-full-range",
        "A dark scene of a phone, full range: black of the wrong range swallows its badge",
        "in.mp4",
        video=picture(badge="0x404040", then="scale=out_range=pc,format=yuvj420p"),
        encode="-pix_fmt yuvj420p",
        expect=Expect(badge="gray"),
    ),
    looped("hdr-pq", "HDR10: PQ in HEVC of 10 bits", "in.mp4", hdr("smpte2084"), expect=HDR),
    looped("hdr-hlg", "A phone's HDR: HLG in HEVC of 10 bits", "in.mp4", hdr("arib-std-b67"), expect=HDR),
)

SHAPES = (*INTERLACED, *TURNED, *STRETCHED, *DEEP)
