"""Files of every kind, senders by RTMP, and what is damaged or cannot be played."""

from dataclasses import replace

from tests.media.inputs.feeds import TURNS, looped, rtmp, sent
from tests.media.inputs.model import Expect, Input
from tests.media.inputs.recipes import AAC, X264, clip, picture, tone

NOISE = 'ffmpeg -f lavfi -i "nullsrc=s=1920x1080,geq=random(1)*255:128:128" -frames:v 1 noise.png'
# Lost parts of damaged input stay lost.
DAMAGED = Expect(
    silence_s_max=3.0, still_s_max=4.0, skew_s_max=0.3, has_clock=False, upright=False, discontinuities_max=4
)
FLIPPED = replace(DAMAGED, repairs={"damaged_packets": (1, 99)})
# A copied source is cut where it can be.
COPIED = Expect(sound_s_off_max=0.35, silence_s_max=0.4)
COPIED_BY_RTMP = replace(TURNS, sound_s_off_max=0.35)
REFUSED_S = 14.0
NO_PICTURE = ("no picture", "picture", "video")


def refused(name: str, about: str, out: str, steps: tuple[str, ...], *words: str) -> Input:
    """Return a file that cannot be played, with an error for the operator."""
    return looped(name, about, out, *steps, live_s_max=REFUSED_S, expect=Expect(refused=words))


HEVC = "-c:v libx265 -tag:v hvc1 -x265-params log-level=none"
VPX = "-deadline realtime -cpu-used 8 -b:v 500k"
MPEG2 = "-c:v mpeg2video -b:v 1M -g 12"
ENCODED = (
    ("mp4-b-frames", "in.mp4", "-bf 3", "A film: MP4 with B-frames"),
    ("mp4-fragmented", "in.mp4", "-movflags frag_keyframe+empty_moov", "A recording in fragments"),
    (
        "mkv-open-gop",
        "in.mkv",
        "-bf 2 -x264-params open-gop=1:keyint=25 -sc_threshold 0",
        "A rip with open groups of pictures",
    ),
    ("ts-mpeg2-open-gop", "in.ts", f"{MPEG2} -bf 2 -c:a mp2", "A broadcast recording: MPEG-2 with open groups, MP2"),
    ("avi-xvid", "in.avi", "-c:v mpeg4 -b:v 600k -bf 1 -c:a libmp3lame", "An old film: MPEG-4 Part 2 and MP3 in AVI"),
    ("m2ts-file", "in.m2ts", "-f mpegts -mpegts_m2ts_mode 1", "A recording of a camera: packets of 192 bytes"),
    ("flv-file", "in.flv", "-ar 44100", "A recording of OBS in FLV"),
    ("webm-vp8", "in.webm", f"-c:v libvpx {VPX} -c:a libvorbis -ac 2", "A browser's recording: VP8 and Vorbis"),
    ("webm-vp9", "in.webm", f"-c:v libvpx-vp9 {VPX} -c:a libopus -ac 2", "A download: VP9 and Opus"),
    ("mp4-av1", "in.mp4", "-c:v libsvtav1 -preset 12 -b:v 400k -c:a libopus -ac 2", "A download: AV1 and Opus in MP4"),
    ("mpeg-ps", "in.vob", f"{MPEG2} -c:a ac3", "A DVD's program stream: MPEG-2 and AC-3"),
    ("wmv", "in.wmv", "-c:v wmv2 -b:v 600k -c:a wmav2", "A recording in Windows Media"),
    ("ogv", "in.ogv", "-c:v libtheora -b:v 600k -c:a libvorbis -ac 2", "A free film: Theora and Vorbis in Ogg"),
    ("hevc-mp4", "in.mp4", HEVC, "A phone's HEVC"),
)
# Name, file, codecs of the picture and of the sound.
LOSSLESS = (
    ("raw-avi", "in.avi", "rawvideo -pix_fmt uyvy422", "pcm_s24le", "A capture card, PCM of 24 bits"),
    ("raw-palette", "in.avi", "rawvideo -pix_fmt pal8", "pcm_alaw", "Raw pictures with a palette, A-law"),
    ("raw-mov", "in.mov", "rawvideo -pix_fmt rgb24", "pcm_f32le", "Raw pictures in RGB, PCM in floats"),
    ("v210", "in.mov", "v210 -pix_fmt yuv422p10le", "pcm_s16be", "An editor's raw pictures of 10 bits"),
    ("qtrle", "in.mov", "qtrle -pix_fmt rgb24", "adpcm_ima_qt", "A screen recording: QuickTime RLE"),
    ("utvideo", "in.avi", "utvideo -pix_fmt yuv422p", "pcm_s16le", "A lossless capture: Ut Video"),
    ("huffyuv", "in.avi", "huffyuv -pix_fmt yuv422p", "pcm_mulaw", "A lossless capture: HuffYUV"),
    ("ffv1", "in.mkv", "ffv1 -level 3", "flac", "An archive: FFV1 and FLAC"),
)
COPIES = (
    ("copied-mp4", "in.mp4", "-g 25", "An MP4 that is passed on as it is"),
    ("copied-ts", "in.ts", "-g 25", "A recording in MPEG-TS that is passed on as it is"),
    ("copied-hevc", "in.mp4", f"{HEVC}:keyint=25", "A phone's HEVC that is passed on as it is"),
)
FILES = (
    *(looped(name, about, out, encode=encode) for name, out, encode, about in ENCODED),
    *(looped(n, about, out, encode=f"-c:v {video} -c:a {sound} -ac 2") for n, out, video, sound, about in LOSSLESS),
    *(looped(n, about, out, encode=encode, profile="source", expect=COPIED) for n, out, encode, about in COPIES),
    looped(
        "mxf",
        "A broadcaster's archive: MPEG-2 4:2:2 and PCM in MXF",
        "in.mxf",
        encode="-c:v mpeg2video -pix_fmt yuv422p -b:v 2M -g 12 -c:a pcm_s16le -ac 1",
    ),
    looped("file-name", "A name as people have them", "in.mp4", file_name="Amélie & l'été (2004) [1].mp4"),
)

SENDERS = (
    sent(
        "far-keyframes-copied",
        "A sender to be passed on as it is, with a keyframe every 16 s",
        clip("in.ts", 40, encode="-g 400 -keyint_min 400 -sc_threshold 0"),
        profile="source",
        turn_s=40,
        expect=Expect(refused=("has keyframes more than 10 s apart",)),
    ),
    rtmp(
        "rtmp-obs",
        "OBS: 59.94 pictures a second, B-frames, AAC at 48 kHz",
        clip("in.flv", 10, video=picture(rate="60000/1001"), encode="-bf 2 -g 120"),
    ),
    rtmp("rtmp-44k-mono", "A phone app: AAC at 44.1 kHz, mono", encode="-ar 44100 -ac 1"),
    rtmp("rtmp-mp3", "An old encoder: MP3 by RTMP", encode="-c:a libmp3lame -ar 44100"),
    rtmp(
        "rtmp-sound-changes",
        "An encoder that goes from 48 to 44.1 kHz while it is connected",
        clip("a.flv", 12),
        clip("b.flv", 12, encode="-ar 44100 -output_ts_offset 12"),
        "join_flv a.flv b.flv in.flv",
        expect=replace(TURNS, repairs={"format_changes": (1, 4)}),
    ),
    rtmp("rtmp-copied", "RTMP that is passed on as it is", encode="-g 25", profile="source", expect=COPIED_BY_RTMP),
    rtmp(
        "rtmp-key-frame-2mb",
        "A key frame of 2 MB, as of a lossless studio encoder",
        NOISE,
        f"ffmpeg -loop 1 -framerate 25 -i noise.png {tone()} -t 10 {X264} -qp 18 {AAC} in.flv",
        profile="source",
        expect=replace(COPIED_BY_RTMP, still_s_max=None, upright=False, has_clock=False, skew_s_max=None),
    ),
)


def damaged(name: str, about: str, edit: str) -> Input:
    """Return a transport stream by SRT with losses."""
    return sent(name, about, clip("clean.ts", 24), edit, turn_s=24, expect=DAMAGED)


DAMAGE = (
    damaged("ts-packets-lost", "One transport packet in 400 is lost", "drop clean.ts in.ts every=400"),
    damaged("ts-bytes-lost", "57 bytes are lost in each 40,000", "cut_bytes clean.ts in.ts every=40000"),
    damaged("ts-bits-flipped", "One bit in 20,000 bytes is wrong", "flip clean.ts in.ts every=20000"),
    looped(
        "ts-file-damaged",
        "A damaged recording, looped",
        "in.ts",
        clip("clean.ts", 8),
        "flip clean.ts in.ts every=30000",
        expect=FLIPPED,
    ),
    looped(
        "mkv-damaged",
        "A film of which some bits are wrong",
        "in.mkv",
        clip("clean.mkv", 20),
        "flip clean.mkv in.mkv every=20000",
        turn_s=20,
        expect=FLIPPED,
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
        clip("whole.mkv", 10),
        "truncate whole.mkv in.mkv share=0.8",
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
        "sound-only", "A podcast: no picture at all", "in.m4a", (f"ffmpeg {tone()} -t 8 {AAC} in.m4a",), *NO_PICTURE
    ),
    refused(
        "sound-with-cover",
        "Music with a cover picture",
        "in.mp3",
        (
            'ffmpeg -f lavfi -i "color=navy:s=64x64" -frames:v 1 cover.png',
            f"ffmpeg {tone()} -i cover.png -map 0 -map 1 -t 8 -c:a libmp3lame -c:v copy -id3v2_version 3 in.mp3",
        ),
        *NO_PICTURE,
    ),
)

CONTAINERS = (*FILES, *SENDERS, *DAMAGE)
