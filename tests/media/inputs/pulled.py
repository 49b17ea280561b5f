"""Inputs that the platform fetches by https: playlists as servers write them, and sources that only seem live."""

from dataclasses import replace

from tests.media.inputs.feeds import sent
from tests.media.inputs.model import Expect, Feed, Input, Serving
from tests.media.inputs.recipes import AAC, TS, X264, clip, picture, tone

LENGTH_S = 40
HLS = "-f hls -hls_time 2 -hls_list_size 0 -hls_segment_filename s%d.ts"
VARIANTS = HLS.replace("s%d", "s%v_%d") + " -master_pl_name live.m3u8"


def playlist(more: str = "", seconds: int = LENGTH_S, encode: str = "") -> str:
    """Return a command that writes `live.m3u8` with segments of 2 s, s0.ts and so on."""
    return f"ffmpeg {picture()} {tone()} -t {seconds} {X264} {AAC} {encode} {HLS} {more} live.m3u8"


# When the pieces of a programme begin by their own clocks: after each of 4 s, half of them skip 2 s.
PIECE_S = 4
PIECE_STARTS_S = (0, 6, 3, 9, 3600, 3606, 50, 56, 20, 26)


def piece(number: int, start_s: float) -> str:
    """Return a command that cuts one of these out of `a.mp4`, as `p0.m3u8` and so on."""
    return (
        f"ffmpeg -ss {number * PIECE_S} -t {PIECE_S} -i a.mp4 -c copy -output_ts_offset {start_s}"
        f" {HLS.replace('s%d', f'p{number}_%d')} p{number}.m3u8"
    )


def pulled(
    name: str, about: str, *make: str, entry: str = "live.m3u8", serving: Serving = Serving.SLIDING, **more: object
) -> Input:
    """Return a source that the platform fetches by https."""
    row = {"entry": entry, "feed": Feed.PULL, "turn_s": LENGTH_S, "serving": serving}
    return Input(name=name, about=about, make=make, **row, **more)


PLAYLISTS = (
    pulled("hls-live", "A live playlist of segments of 2 s", playlist()),
    pulled("hls-44k", "A live playlist whose sound has 44.1 kHz", playlist(encode="-ar 44100")),
    pulled("hls-no-extension", "Segments without an extension", playlist(), "rename_segments live.m3u8 ending="),
    pulled(
        "hls-jpg",
        "Segments that are called .jpg, to get past a cache",
        playlist(),
        "rename_segments live.m3u8 ending=.jpg",
    ),
    pulled("hls-php", "Segments behind a script: .php?x", playlist(), "rename_segments live.m3u8 ending=.php?token=x"),
    pulled(
        "hls-fmp4",
        "Fragmented MP4 with an init section",
        playlist().replace("s%d.ts", "s%d.m4s -hls_segment_type fmp4"),
    ),
    pulled(
        "hls-fmp4-6s",
        "Fragments of 6 s: all the pictures of each, then all its sound",
        playlist("-hls_time 6 -hls_segment_type fmp4").replace("s%d.ts", "s%d.m4s"),
    ),
    pulled(
        "hls-fmp4-slides",
        "A picture in 5 s, in fragments of 10 s with sound",
        f"ffmpeg {picture(rate='1/5')} {tone()} -t {LENGTH_S} {X264} -g 2 {AAC}"
        f" {HLS.replace('s%d.ts', 's%d.m4s')} -hls_time 10 -hls_segment_type fmp4 live.m3u8",
        expect=Expect(still_s_max=None, skew_s_max=None, has_clock=False),
    ),
    pulled(
        "hls-separate-sound",
        "Sound in a separate rendition",
        f"ffmpeg {picture()} {tone()} -t {LENGTH_S} {X264} {AAC} {VARIANTS}"
        ' -var_stream_map "v:0,agroup:snd a:0,agroup:snd,default:yes" media_%v.m3u8',
    ),
    pulled(
        "hls-discontinuities",
        "A discontinuity tag before every third segment, as of advertisements",
        playlist(),
        "with_discontinuities live.m3u8 every=3",
        expect=Expect(discontinuities_max=4),
    ),
    pulled(
        "hls-turns",
        "A programme of pieces: time stamps start again, or skip 2 s, at a discontinuity tag",
        clip("a.mp4", LENGTH_S),
        *(piece(n, start_s) for n, start_s in enumerate(PIECE_STARTS_S)),
        f"join_playlists live.m3u8 {' '.join(f'p{n}.m3u8' for n in range(len(PIECE_STARTS_S)))}",
        expect=Expect(discontinuities_max=5, silence_s_max=0.6),
    ),
    pulled("hls-recording", "A recording (ENDLIST): it is played at its own pace", playlist(), serving=Serving.AS_IS),
    pulled(
        "hls-encrypted",
        "AES-128: segments are encrypted, the key is fetched",
        "key hls.key",
        playlist("-hls_key_info_file hls.key.info"),
        serving=Serving.AS_IS,
    ),
    pulled(
        "hls-14-far-variants",
        "14 variants of a server that is 0.6 s away",
        playlist(),
        "variants all.m3u8 live.m3u8 count=14",
        entry="all.m3u8",
        serving=Serving.AS_IS,
        answer_delay_s=0.6,
        live_s_max=60.0,
    ),
    pulled(
        "hls-best-variant",
        "Two variants: the one of 320x180 fits the ladder, the one of 160x90 comes first",
        f"ffmpeg {picture()} {picture('160x90', badge='magenta')} {tone()} -map 0 -map 1 -map 2 -map 2 -t {LENGTH_S}"
        f' {X264} -b:v:0 400k -b:v:1 100k {AAC} {VARIANTS} -var_stream_map "v:1,a:1 v:0,a:0" media_%v.m3u8',
    ),
    pulled(
        "ts-over-https",
        "A transport stream over https, as of a tuner",
        clip("in.ts", LENGTH_S),
        entry="in.ts",
        serving=Serving.AS_IS,
    ),
)

# Each has 18 s of media worth paying for; then the slate follows, which costs nothing.
STUCK = Expect(
    replays_max=0,
    content_s=18,
    seconds_min=8,
    silence_s_max=99,
    still_s_max=None,
    has_clock=False,
    upright=False,
    discontinuities_max=2,
    badge="",
    skew_s_max=None,
)


def dying(name: str, about: str, *make: str, expect: Expect = STUCK, **more: object) -> Input:
    """Return a source that stops, on a stream with a slate."""
    return pulled(name, about, *make, expect=expect, settings={"slate": True}, watch_s=40, **more)


SEEM_ALIVE = (
    dying(
        "hls-stuck",
        "A live playlist that has stopped changing",
        playlist(seconds=18),
        "without_end live.m3u8",
        serving=Serving.AS_IS,
    ),
    dying(
        "hls-repeating",
        "A server that plays the same numbers and segments again",
        playlist(seconds=18),
        serving=Serving.REPEATING,
        # A segment that was not fetched the first time may be played between two slates.
        expect=replace(STUCK, discontinuities_max=4),
    ),
    dying(
        "hls-looped",
        "A server that plays the same segments again, under new numbers, behind a discontinuity tag",
        clip("a.ts", 8),
        f"ffmpeg -i a.ts -c copy {HLS} live.m3u8",
        "repeat_segments live.m3u8 times=5",
        expect=replace(STUCK, content_s=8),
    ),
    dying(
        "hls-recording-ends",
        "A recording that ends: it is not repeated as a live source",
        playlist(seconds=18),
        serving=Serving.AS_IS,
    ),
    sent(
        "frozen-and-silent",
        "An encoder that lost its camera: a frozen picture with silence, after 10 s (`frozen_after_s`)",
        clip("a.ts", 10),
        'ffmpeg -f lavfi -i "color=gray:s=320x180:r=25" -f lavfi -i anullsrc=r=48000'
        f" -t 34 {X264} {AAC} -output_ts_offset 10 {TS} b.ts",
        "join a.ts b.ts in.ts",
        turn_s=44,
        watch_s=36,
        settings={"slate": True, "frozen_after_s": 10},
        expect=replace(STUCK, content_s=20, replays_max=None),
    ),
)

PULLED = (*PLAYLISTS, *SEEM_ALIVE)
