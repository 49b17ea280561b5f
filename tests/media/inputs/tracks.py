"""Several programmes, languages and tracks in one source, and tracks that are neither picture nor sound."""

from tests.media.inputs.feeds import looped, sent
from tests.media.inputs.model import Expect
from tests.media.inputs.recipes import AAC, TS, X264, clip, picture, tone

SECOND = Expect(tone_hz=880, badge="magenta")
TWO_PICTURES = f"{picture()} {tone()} {picture(badge='magenta')} {tone(880)}"
TWO_SERVICES = (
    f"ffmpeg {TWO_PICTURES} -map 0 -map 1 -map 2 -map 3 -t 20 {X264} {AAC} -program title=One:program_num=101:st=0:st=1"
    f" -program title=Two:program_num=102:st=2:st=3 {TS} in.ts"
)
LANGUAGES = "-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu"


def two_sounds(out: str, more: str, seconds: int = 8) -> str:
    """Return a command for a picture with a track of 440 Hz and one of 880 Hz."""
    return f"ffmpeg {picture()} {tone()} {tone(880)} -map 0 -map 1 -map 2 -t {seconds} {X264} {AAC} {more} {out}"


PROGRAMMES = (
    sent("two-services", "A transponder with two services: the first one's own picture and sound", TWO_SERVICES),
    sent(
        "two-services-second",
        "A transponder with two services; the operator chooses the second (`program`)",
        TWO_SERVICES,
        expect=SECOND,
        ingest={"program": 102},
    ),
    sent(
        "two-services-loud",
        "Two services, the second with surround sound: the first one's own sound is played",
        TWO_SERVICES.replace(AAC, "-c:a ac3 -b:a 192k -ac:a:0 2 -ac:a:1 6"),
    ),
    sent(
        "two-services-none",
        "The operator chooses a service that is not there",
        TWO_SERVICES,
        expect=Expect(refused=("101", "102")),
        ingest={"program": 999},
    ),
)

TRACKS = (
    looped(
        "two-languages",
        "A film with two languages, none of them default: the first",
        "in.mkv",
        two_sounds("in.mkv", LANGUAGES + " -disposition:a 0"),
    ),
    looped(
        "default-second",
        "A film whose second language is the default one",
        "in.mkv",
        two_sounds("in.mkv", LANGUAGES + " -disposition:a:0 0 -disposition:a:1 default"),
        expect=Expect(tone_hz=880),
    ),
    looped(
        "choose-second",
        "A film with two languages; the operator chooses the second (`audio_track`)",
        "in.mp4",
        two_sounds("in.mp4", LANGUAGES),
        expect=Expect(tone_hz=880),
        ingest={"audio_track": 2},
    ),
    looped(
        "choose-none",
        "The operator chooses a track that is not there",
        "in.mp4",
        two_sounds("in.mp4", LANGUAGES),
        expect=Expect(refused=("track 7", "track=7", "1 to 2", "2 audio tracks")),
        ingest={"audio_track": 7},
    ),
    sent(
        "stereo-and-surround",
        "A feed with stereo first and 5.1 second: the first, not the larger",
        two_sounds("in.ts", f"-c:a ac3 -ac:a:0 2 -ac:a:1 6 {TS}", 20),
    ),
    sent(
        "choose-second-sent",
        "A feed by SRT with two languages; the operator chooses the second",
        two_sounds("in.ts", f"{LANGUAGES} {TS}", 20),
        expect=Expect(tone_hz=880),
        ingest={"audio_track": 2},
    ),
)

BESIDE = (
    looped(
        "subtitles-mkv",
        "A film with subtitles (SubRip)",
        "in.mkv",
        "subtitles lines.srt",
        f"ffmpeg {picture()} {tone()} -i lines.srt -map 0 -map 1 -map 2 -t 8 {X264} {AAC} -c:s srt in.mkv",
    ),
    looped(
        "subtitles-mp4",
        "A film with timed text and a cover picture",
        "in.mp4",
        "subtitles lines.srt",
        'ffmpeg -f lavfi -i "color=navy:s=64x64" -frames:v 1 cover.png',
        f"ffmpeg {picture()} {tone()} -i lines.srt -i cover.png -map 0 -map 1 -map 2 -map 3 -t 8 {X264} {AAC}"
        " -c:s mov_text -c:v:1 png -pix_fmt:v:1 rgb24 -disposition:v:1 attached_pic in.mp4",
    ),
    looped(
        "cover-first",
        "A film whose cover picture comes before its picture",
        "in.mp4",
        'ffmpeg -f lavfi -i "color=navy:s=64x64" -frames:v 1 cover.png',
        clip("film.mp4", 8),
        "ffmpeg -i film.mp4 -i cover.png -map 1 -map 0 -c copy -disposition:v:0 attached_pic in.mp4",
    ),
    looped(
        "timecode",
        "A camera's MOV with a track of time code",
        "in.mov",
        clip("in.mov", 8, encode="-timecode 10:00:00:00"),
    ),
)

ALL_TRACKS = (*PROGRAMMES, *TRACKS, *BESIDE)
