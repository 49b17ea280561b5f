"""The inputs of the quick zoo: one of each kind that needs no network, name or clock."""

from tests.media.inputs.model import Input
from tests.media.inputs.table import SUBJECTS

# Made by a server's answers, by names, or by what the platform does with a dead source.
OF_THE_PLATFORM = """
    file-name hls-no-extension hls-jpg hls-php hls-encrypted hls-14-far-variants hls-best-variant hls-stuck
    slides-silent hls-repeating hls-looped hls-turns hls-recording hls-recording-ends frozen-and-silent
    far-keyframes-copied
"""
# Too long, or too much for two cores.
HEAVY = """
    drift-slow-long drift-fast-long rtmp-key-frame-2mb
"""
# Of the same kind as another one that is tried.
ALIKE = """
    gap-20ms gap-40ms gap-mp2-32k gap-aac-16k gap-aac-96k gap-eac3-51 drift-plus-200ppm drift-minus-200ppm
    overlap-40ms sound-jumps-1h loop-vorbis-mkv loop-pcm-mov loop-mp3-mp4 loop-aac-short no-sound-file
    sound-5s-late-file sound-hole-3s one-picture static-screen rate-23976 rate-120 vfr-jitter jump-1h-ahead
    jump-4s-ahead no-clock-reference negative-start shape-changes fps-changes aac-to-mp2 interlaced-mpeg2-sent
    interlaced-full-rate-ntsc rotated-270 portrait sar-64-45 h264-10bit h264-422 two-services two-languages
    choose-second-sent stereo-and-surround subtitles-mkv timecode mp4-b-frames mp4-fragmented ts-mpeg2-open-gop
    flv-file webm-vp8 wmv ogv gap-aac-71 gap-mp3-22k drift-minus-1000ppm loop-pcm24-mkv sound-jumps-ahead interlaced-bff
    rotated-180 gray prores webm-vp9 ts-bits-flipped two-services-loud sound-ends-early
    subtitles-mp4 mkv-truncated mxf rtmp-44k-mono ts-bytes-lost sound-with-cover hls-44k hls-live
    hls-separate-sound raw-mov v210 huffyuv ffv1 utvideo
"""
LEFT_OUT = {name for names in (OF_THE_PLATFORM, HEAVY, ALIKE) for name in names.split()}

QUICK: tuple[Input, ...] = tuple(item for items in SUBJECTS.values() for item in items if item.name not in LEFT_OUT)
