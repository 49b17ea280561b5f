"""Files of every kind, senders by RTMP, and what is damaged or cannot be played."""

from dataclasses import replace

from tests.media.inputs.model import Expect, Feed, Input
from tests.media.inputs.recipes import AAC, X264, clip, picture, tone

NOISE = 'ffmpeg -f lavfi -i "nullsrc=s=1920x1080,geq=random(1)*255:128:128" -frames:v 1 noise.png'
# Lost parts of damaged input stay lost.
DAMAGED = Expect(
    silence_s_max=3.0, still_s_max=4.0, skew_s_max=0.3, has_clock=False, upright=False, discontinuities_max=4
)
REFUSED_S = 14.0


def looped(
    name: str,
    about: str,
    out: str,
    encode: str = "",
    *,
    steps: tuple[str, ...] = (),
    expect: Expect | None = None,
    **more: object,
) -> Input:
    """A file of 8 s."""
    make = steps or (clip(out, 8, encode=encode),)
    return Input(
        name=name, about=about, make=make, entry=out, feed=Feed.FILE, turn_s=8, expect=expect or Expect(), **more
    )


def refused(name: str, about: str, out: str, steps: tuple[str, ...], *words: str) -> Input:
    """A file that cannot be played, with an error for the operator."""
    return Input(
        name=name,
        about=about,
        make=steps,
        entry=out,
        feed=Feed.FILE,
        live_s_max=REFUSED_S,
        expect=Expect(refused=words),
    )


def rtmp(
    name: str,
    about: str,
    encode: str = "",
    *,
    steps: tuple[str, ...] = (),
    expect: Expect | None = None,
    **more: object,
) -> Input:
    """Return an input that is sent by RTMP, as OBS does."""
    make = steps or (clip("in.flv", 10, encode=encode),)
    return Input(
        name=name,
        about=about,
        make=make,
        entry="in.flv",
        feed=Feed.RTMP,
        turn_s=10,
        expect=expect or Expect(discontinuities_max=2, silence_s_max=0.6),
        **more,
    )


FILES = (
    looped("mp4-b-frames", "A film: MP4 with B-frames", "in.mp4", "-bf 3"),
    looped("mp4-fragmented", "A recording in fragments", "in.mp4", "-movflags frag_keyframe+empty_moov"),
    looped(
        "mkv-open-gop",
        "A rip with open groups of pictures",
        "in.mkv",
        "-bf 2 -x264-params open-gop=1:keyint=25 -sc_threshold 0",
    ),
    looped(
        "ts-mpeg2-open-gop",
        "A broadcast recording: MPEG-2 with open groups, MP2",
        "in.ts",
        "-c:v mpeg2video -b:v 1M -bf 2 -g 12 -c:a mp2",
    ),
    looped(
        "avi-xvid", "An old film: MPEG-4 Part 2 and MP3 in AVI", "in.avi", "-c:v mpeg4 -b:v 600k -bf 1 -c:a libmp3lame"
    ),
    looped("m2ts-file", "A recording of a camera: packets of 192 bytes", "in.m2ts", "-f mpegts -mpegts_m2ts_mode 1"),
    looped("flv-file", "A recording of OBS in FLV", "in.flv", "-ar 44100"),
    looped(
        "webm-vp8",
        "A browser's recording: VP8 and Vorbis",
        "in.webm",
        "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 500k -c:a libvorbis -ac 2",
    ),
    looped(
        "webm-vp9",
        "A download: VP9 and Opus",
        "in.webm",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 500k -c:a libopus -ac 2",
    ),
    looped(
        "mp4-av1", "A download: AV1 and Opus in MP4", "in.mp4", "-c:v libsvtav1 -preset 12 -b:v 400k -c:a libopus -ac 2"
    ),
    looped("mpeg-ps", "A DVD's program stream: MPEG-2 and AC-3", "in.vob", "-c:v mpeg2video -b:v 1M -g 12 -c:a ac3"),
    looped("wmv", "A recording in Windows Media", "in.wmv", "-c:v wmv2 -b:v 600k -c:a wmav2"),
    looped("ogv", "A free film: Theora and Vorbis in Ogg", "in.ogv", "-c:v libtheora -b:v 600k -c:a libvorbis -ac 2"),
    looped(
        "mxf",
        "A broadcaster's archive: MPEG-2 4:2:2 and PCM in MXF",
        "in.mxf",
        "-c:v mpeg2video -pix_fmt yuv422p -b:v 2M -g 12 -c:a pcm_s16le -ac 1",
    ),
    *(
        looped(name, about, out, f"-c:v {video} -c:a {sound} -ac 2")
        for name, about, out, video, sound in (
            ("raw-avi", "A capture card, PCM of 24 bits", "in.avi", "rawvideo -pix_fmt uyvy422", "pcm_s24le"),
            ("raw-palette", "Raw pictures with a palette, A-law", "in.avi", "rawvideo -pix_fmt pal8", "pcm_alaw"),
            ("raw-mov", "Raw pictures in RGB, PCM in floats", "in.mov", "rawvideo -pix_fmt rgb24", "pcm_f32le"),
            ("v210", "An editor's raw pictures of 10 bits", "in.mov", "v210 -pix_fmt yuv422p10le", "pcm_s16be"),
            ("qtrle", "A screen recording: QuickTime RLE", "in.mov", "qtrle -pix_fmt rgb24", "adpcm_ima_qt"),
            ("utvideo", "A lossless capture: Ut Video", "in.avi", "utvideo -pix_fmt yuv422p", "pcm_s16le"),
            ("huffyuv", "A lossless capture: HuffYUV", "in.avi", "huffyuv -pix_fmt yuv422p", "pcm_mulaw"),
            ("ffv1", "An archive: FFV1 and FLAC", "in.mkv", "ffv1 -level 3", "flac"),
        )
    ),
    looped("hevc-mp4", "A phone's HEVC", "in.mp4", "-c:v libx265 -tag:v hvc1 -x265-params log-level=none"),
    looped(
        "copied-mp4",
        "An MP4 that is passed on as it is",
        "in.mp4",
        "-g 25",
        profile="source",
        expect=Expect(sound_s_off_max=0.35, silence_s_max=0.4),
    ),
    looped(
        "copied-ts",
        "A recording in MPEG-TS that is passed on as it is",
        "in.ts",
        "-g 25",
        profile="source",
        expect=Expect(sound_s_off_max=0.35, silence_s_max=0.4),
    ),
    looped(
        "copied-hevc",
        "A phone's HEVC that is passed on as it is",
        "in.mp4",
        "-c:v libx265 -tag:v hvc1 -x265-params log-level=none:keyint=25",
        profile="source",
        expect=Expect(sound_s_off_max=0.35, silence_s_max=0.4),
    ),
    looped("file-name", "A name as people have them", "in.mp4", file_name="Amélie & l'été (2004) [1].mp4"),
)

SENDERS = (
    Input(
        name="far-keyframes-copied",
        about="A sender to be passed on as it is, with a keyframe every 16 s",
        make=(clip("in.ts", 40, encode="-g 400 -keyint_min 400 -sc_threshold 0"),),
        entry="in.ts",
        feed=Feed.SRT,
        profile="source",
        turn_s=40,
        expect=Expect(refused=("has keyframes more than 10 s apart",)),
    ),
    rtmp(
        "rtmp-obs",
        "OBS: 59.94 pictures a second, B-frames, AAC at 48 kHz",
        steps=(clip("in.flv", 10, video=picture(rate="60000/1001"), encode="-bf 2 -g 120"),),
    ),
    rtmp("rtmp-44k-mono", "A phone app: AAC at 44.1 kHz, mono", "-ar 44100 -ac 1"),
    rtmp("rtmp-mp3", "An old encoder: MP3 by RTMP", "-c:a libmp3lame -ar 44100"),
    rtmp(
        "rtmp-sound-changes",
        "An encoder that goes from 48 to 44.1 kHz while it is connected",
        steps=(
            clip("a.flv", 12),
            clip("b.flv", 12, encode="-ar 44100 -output_ts_offset 12"),
            "join_flv a.flv b.flv in.flv",
        ),
        expect=Expect(discontinuities_max=2, silence_s_max=0.6, repairs={"format_changes": (1, 4)}),
    ),
    rtmp(
        "rtmp-copied",
        "RTMP that is passed on as it is",
        "-g 25",
        profile="source",
        expect=Expect(sound_s_off_max=0.35, discontinuities_max=2, silence_s_max=0.6),
    ),
    rtmp(
        "rtmp-key-frame-2mb",
        "A key frame of 2 MB, as of a lossless studio encoder",
        steps=(NOISE, f"ffmpeg -loop 1 -framerate 25 -i noise.png {tone()} -t 10 {X264} -qp 18 {AAC} in.flv"),
        profile="source",
        expect=Expect(
            still_s_max=None,
            upright=False,
            has_clock=False,
            skew_s_max=None,
            sound_s_off_max=0.35,
            discontinuities_max=2,
            silence_s_max=0.6,
        ),
    ),
)


def damaged(name: str, about: str, edit: str) -> Input:
    """A transport stream by SRT with losses."""
    return Input(
        name=name,
        about=about,
        make=(clip("clean.ts", 24), edit),
        entry="in.ts",
        feed=Feed.SRT,
        turn_s=24,
        expect=DAMAGED,
    )


DAMAGE = (
    damaged("ts-packets-lost", "One transport packet in 400 is lost", "drop clean.ts in.ts every=400"),
    damaged("ts-bytes-lost", "57 bytes are lost in each 40,000", "cut_bytes clean.ts in.ts every=40000"),
    damaged("ts-bits-flipped", "One bit in 20,000 bytes is wrong", "flip clean.ts in.ts every=20000"),
    looped(
        "ts-file-damaged",
        "A damaged recording, looped",
        "in.ts",
        steps=(clip("clean.ts", 8), "flip clean.ts in.ts every=30000"),
        expect=DAMAGED,
    ),
    replace(
        looped(
            "mkv-damaged",
            "A film of which some bits are wrong",
            "in.mkv",
            steps=(clip("clean.mkv", 20), "flip clean.mkv in.mkv every=20000"),
            expect=DAMAGED,
        ),
        turn_s=20,
    ),
    refused(
        "mp4-truncated",
        "An upload that broke off: MP4 without its index",
        "in.mp4",
        (clip("whole.mp4", 8), "truncate whole.mp4 in.mp4 share=0.6"),
        "moov",
        "incomplete",
        "truncated",
        "index",
        "cannot be read",
    ),
    looped(
        "mkv-truncated",
        "A recording that broke off: what is there plays",
        "in.mkv",
        steps=(clip("whole.mkv", 10), "truncate whole.mkv in.mkv share=0.8"),
        expect=Expect(silence_s_max=0.6),
    ),
    refused(
        "undecodable",
        "Pictures that no decoder takes in this container",
        "in.avi",
        (f"ffmpeg {picture()} -t 4 -c:v sgi in.avi",),
        "cannot be decoded",
    ),
    refused(
        "sound-only",
        "A podcast: no picture at all",
        "in.m4a",
        (f"ffmpeg {tone()} -t 8 {AAC} in.m4a",),
        "no picture",
        "picture",
        "video",
    ),
    refused(
        "sound-with-cover",
        "Music with a cover picture",
        "in.mp3",
        (
            'ffmpeg -f lavfi -i "color=navy:s=64x64" -frames:v 1 cover.png',
            f"ffmpeg {tone()} -i cover.png -map 0 -map 1 -t 8 -c:a libmp3lame -c:v copy -id3v2_version 3 in.mp3",
        ),
        "no picture",
        "picture",
        "video",
    ),
)

CONTAINERS = (*FILES, *SENDERS, *DAMAGE)
