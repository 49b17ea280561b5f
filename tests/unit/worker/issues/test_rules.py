"""The rules that need no repairs: what is found in one observation, or in several of them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.streams.issues.ingest_issues import Finding, IssueType
from chalicelib.domain.streams.issues.ingest_refusals import IngestRefusal, RefusalCode
from chalicelib.domain.streams.media_health import Repairs
from chalicelib.domain.streams.runtime import SLATE
from worker.issues.delivery_rules import DISK_FREE_BYTES_MIN, encoder_verdicts
from worker.issues.judge import Judge
from worker.issues.observation import Delivery, Observation, PlayedSource, Trouble
from worker.issues.repair_windows import WINDOW_S
from worker.issues.source_rules import BITRATE_KNOWN_S, BITRATE_WINDOW_S, SIZE_CHANGED_S
from worker.issues.tracker import TYPES, Verdicts

NOW_MS = 1_800_000_000_000
SOURCE = PlayedSource(
    name="primary",
    connection=1,
    width=1_280,
    height=720,
    pictures_per_s=25.0,
    bitrate_bps=3_000_000,
    keyframe_interval_s=2.0,
)
FINE = Observation(
    now_ms=NOW_MS,
    run=1,
    repairs=Repairs(),
    speed=1.0,
    pictures_per_s=25.0,
    playing="primary",
    source=SOURCE,
    troubles=(),
    listener="primary",
    is_rtmp=True,
    refusals=(),
    published_fault="",
    ladder_bps=2_900_000,
    delivery=Delivery(store_error="", upload_share=0.1),
    disk_free_bytes=100 << 30,
)
NOT_PLAYED: dict[str, Any] = {"playing": None, "source": None, "repairs": None, "speed": None}


def judged(*seen: Observation, every_s: float = WINDOW_S, open_types: Collection[IssueType] = ()) -> Verdicts:
    """Return the last verdicts on these observations."""
    judge, verdicts = Judge(), {}
    for number, each in enumerate(seen):
        verdicts = judge.verdicts(1_000.0 + number * every_s, each, open_types)
    return verdicts


def found(verdicts: Verdicts) -> dict[IssueType, Finding]:
    return {issue_type: finding for issue_type, finding in verdicts.items() if finding}


def source(**changes: Any) -> Observation:
    return replace(FINE, source=replace(SOURCE, **changes))


def trouble(kind: str, reason: str, **changes: Any) -> Observation:
    return replace(FINE, **NOT_PLAYED, troubles=(Trouble(source="primary", kind=kind, reason=reason),), **changes)


def refused(code: RefusalCode, age_ms: int = 5_000) -> Observation:
    return replace(FINE, refusals=(IngestRefusal(code=code, count=3, last_at_ms=NOW_MS - age_ms),))


WAITING = "waiting for the sender"
COPIED = "'a.mkv' has vp9 video and opus audio; a copied stream needs h264 or hevc video and aac (or no) audio"
ONE_EACH = [
    (trouble("waiting", WAITING), IssueType.NO_SENDER, WAITING),
    (trouble("waiting", f"{WAITING}: a sender was connected but sent no picture"), IssueType.PICTURE_MISSING, "no pic"),
    (trouble("waiting", f"{WAITING}: sound comes, but no picture has come yet"), IssueType.PICTURE_MISSING, "sound"),
    (refused(RefusalCode.WRONG_KEY), IssueType.WRONG_KEY, "missing stream key, 3 times in 24 h"),
    (refused(RefusalCode.ALREADY_SENDING), IssueType.SENDER_REJECTED, "while another one was sending"),
    (trouble("broken", "no picture within 15 s"), IssueType.SOURCE_FAILING, "primary: no picture within 15 s"),
    (trouble("refused", COPIED), IssueType.CODEC_REFUSED, "vp9"),
    (trouble("refused", "there is no file 'a' in the media directory"), IssueType.SOURCE_REFUSED, "no file"),
    (source(has_audio=False), IssueType.AUDIO_ABSENT, "no sound track"),
    (source(is_interlaced=True), IssueType.INTERLACED, "interlaced"),
    (source(rotation=90), IssueType.ROTATED, "90°"),
    (source(keyframe_interval_s=4.1), IssueType.KEYFRAMES_FAR_APART, "4.1 s between keyframes"),
    (source(bitrate_bps=8_800_000), IssueType.BITRATE_ABOVE_LADDER, "8.80 Mbit/s"),
    (replace(FINE, speed=0.89), IssueType.ENCODER_SLOW, "0.89 s of media a second"),
    (replace(FINE, playing="backup-1"), IssueType.ON_BACKUP, "backup-1 is played"),
    (replace(FINE, playing=SLATE, source=None), IssueType.ON_SLATE, "no source works"),
    (replace(FINE, delivery=Delivery(store_error="no", failing_s=4, upload_share=0.1)), IssueType.STORE_FAILING, "4 s"),
    (replace(FINE, delivery=Delivery(store_error="", upload_share=0.51)), IssueType.UPLOAD_SLOW, "51 %"),
    (replace(FINE, disk_free_bytes=DISK_FREE_BYTES_MIN - 1), IssueType.DISK_LOW, "1023 MiB"),
    (replace(FINE, frozen_sources=("primary", "backup-1")), IssueType.PICTURE_FROZEN, "sources primary, backup-1 are"),
    (replace(FINE, published_fault="a run was replaced: black"), IssueType.PUBLISHED_FAULTY, "black"),
]


@pytest.mark.parametrize(("seen", "issue_type", "words"), ONE_EACH, ids=lambda value: str(value)[:20])
def test_one_thing_that_is_wrong_is_one_issue(seen: Observation, issue_type: IssueType, words: str) -> None:
    [(only, finding)] = found(judged(seen)).items()
    assert only is issue_type and words in finding.actual and finding.expected
    assert found(judged(seen, FINE)) == {}


def test_a_good_stream_has_no_issue_and_all_is_known_of_it() -> None:
    seen = [replace(FINE, repairs=Repairs(drift_ppm=3))] * 8
    verdicts = judged(*seen)
    assert set(verdicts) == set(TYPES) and found(verdicts) == {}


def test_of_what_is_unknown_there_is_no_verdict() -> None:
    assert set(judged(Observation(), Observation())) == {IssueType.PICTURE_FROZEN}
    bare = replace(SOURCE, width=None, pictures_per_s=None, bitrate_bps=None, keyframe_interval_s=None)
    verdicts = judged(*[replace(FINE, source=bare, refusals=None, disk_free_bytes=None)] * 8)
    missing = set(TYPES) - set(verdicts)
    assert missing == {
        *(IssueType.AUDIO_DRIFT, IssueType.WRONG_KEY, IssueType.SENDER_REJECTED, IssueType.PICTURE_SIZE_CHANGED),
        *(IssueType.KEYFRAMES_FAR_APART, IssueType.BITRATE_LOW, IssueType.BITRATE_ABOVE_LADDER),
        *(IssueType.FRAME_RATE_UNSTEADY, IssueType.FRAMES_DROPPED, IssueType.DISK_LOW),
    }
    # The slate is no source, and a copied source is not decoded.
    of_slate = judged(*[replace(FINE, playing=SLATE, source=None)] * 3)
    assert not {IssueType.AUDIO_MISSING, IssueType.ENCODER_SLOW, IssueType.INTERLACED} & set(of_slate)
    assert IssueType.ENCODER_SLOW not in judged(replace(FINE, is_copied=True, speed=0.1))


STAYS = [
    (source(keyframe_interval_s=3.5), IssueType.KEYFRAMES_FAR_APART),
    (source(bitrate_bps=8_000_000), IssueType.BITRATE_ABOVE_LADDER),
    (replace(FINE, speed=0.95), IssueType.ENCODER_SLOW),
    (replace(FINE, delivery=Delivery(store_error="", upload_share=0.4)), IssueType.UPLOAD_SLOW),
    (replace(FINE, disk_free_bytes=DISK_FREE_BYTES_MIN), IssueType.DISK_LOW),
]


@pytest.mark.parametrize(("seen", "issue_type"), STAYS, ids=lambda value: str(value)[:20])
def test_an_open_issue_needs_less_to_stay_open(seen: Observation, issue_type: IssueType) -> None:
    assert found(judged(seen)) == {}
    assert list(found(judged(seen, open_types=[issue_type]))) == [issue_type]
    assert found(judged(FINE, open_types=TYPES)) == {}


def test_old_refusals_are_over_and_srt_knows_its_own() -> None:
    assert found(judged(refused(RefusalCode.WRONG_KEY, age_ms=60_000))) == {}
    by_srt = replace(FINE, is_rtmp=False, refusals=None)
    verdicts = judged(by_srt)
    assert verdicts[IssueType.WRONG_KEY] is None and verdicts[IssueType.SENDER_REJECTED] is None
    for why, issue_type in (
        ("its passphrase is not the stream's key", IssueType.WRONG_KEY),
        ("it does not encrypt; the stream's key is its passphrase", IssueType.WRONG_KEY),
        ("peer rejected", IssueType.SENDER_REJECTED),
    ):
        assert list(found(judged(replace(by_srt, rejected=(why, 999.0))))) == [issue_type]
        assert found(judged(replace(by_srt, rejected=(why, 940.0)))) == {}


def test_a_sender_that_comes_and_goes_reconnects_until_it_stays_for_two_minutes() -> None:
    reconnects = IssueType.SENDER_RECONNECTS
    for connected_s, open_types, expected in (
        ((701, 800, 900, 1_000), (), True),
        ((700, 800, 900, 1_000), (), False),
        ((701, 800, 900), (), False),
        ((700, 881, 1_000), [reconnects], True),
        ((700, 880, 1_000), [reconnects], False),
    ):
        verdicts = judged(replace(FINE, connected_s=connected_s), open_types=open_types)
        assert (verdicts[reconnects] is not None) is expected, connected_s


def test_a_size_that_changes_counts_for_two_minutes_and_that_of_a_backup_does_not() -> None:
    other = source(width=640, height=360)
    finding = judged(FINE, other)[IssueType.PICTURE_SIZE_CHANGED]
    assert finding and finding.actual == "the picture changed from 1280x720 to 640x360"
    assert judged(FINE, FINE, other, every_s=SIZE_CHANGED_S - 1)[IssueType.PICTURE_SIZE_CHANGED]
    assert judged(FINE, other, other, every_s=SIZE_CHANGED_S)[IssueType.PICTURE_SIZE_CHANGED] is None
    backup = source(name="backup-1", width=640, height=360)
    assert judged(FINE, backup, FINE)[IssueType.PICTURE_SIZE_CHANGED] is None


def test_a_bitrate_falls_in_comparison_with_its_own_median() -> None:
    usual, low = [FINE] * 8, source(bitrate_bps=1_100_000)
    finding = judged(*usual, low)[IssueType.BITRATE_LOW]
    assert finding and finding.actual == "1.10 Mbit/s, and 3.00 Mbit/s as the median of the last minutes"
    assert judged(*usual, source(bitrate_bps=1_300_000))[IssueType.BITRATE_LOW] is None
    stays = judged(*usual, source(bitrate_bps=1_700_000), open_types=[IssueType.BITRATE_LOW])
    assert stays[IssueType.BITRATE_LOW]
    # It is unknown within the first minute of a connection, and a new normal is found in five minutes.
    assert IssueType.BITRATE_LOW not in judged(FINE, FINE, low)
    assert IssueType.BITRATE_LOW not in judged(*usual, source(bitrate_bps=1_100_000, connection=2))
    assert judged(*usual, *[low] * 20)[IssueType.BITRATE_LOW] is None
    assert BITRATE_KNOWN_S < BITRATE_WINDOW_S


def test_a_picture_that_stands_still_needs_few_bits() -> None:
    usual = [FINE] * 8
    for moves, is_low in ((True, True), (None, True), (False, False)):
        finding = judged(*usual, source(bitrate_bps=1_100_000, moves=moves))[IssueType.BITRATE_LOW]
        assert (finding is not None) is is_low, moves


PER_S = [
    # 25 of 25 pictures a second: more than 5 % late.
    ({"pictures_repeated": 13}, {}, IssueType.FRAME_RATE_UNSTEADY),
    ({"pictures_repeated": 12}, {}, None),
    # That is a picture that stands still.
    ({"pictures_repeated": 100}, {}, None),
    # 5 a second are made 10, which is no fault of the source.
    ({"pictures_repeated": 50}, {"source": replace(SOURCE, pictures_per_s=5.0), "pictures_per_s": 10.0}, None),
    ({"pictures_dropped": 11}, {}, IssueType.FRAMES_DROPPED),
    ({"pictures_dropped": 10}, {}, None),
    # 50 a second are made 25, as the ladder wants.
    ({"pictures_dropped": 250}, {"source": replace(SOURCE, pictures_per_s=50.0)}, None),
    ({"pictures_dropped": 261}, {"source": replace(SOURCE, pictures_per_s=50.0)}, IssueType.FRAMES_DROPPED),
]


@pytest.mark.parametrize(("counts", "changes", "expected"), PER_S)
def test_pictures_are_judged_by_the_last_window(
    counts: dict[str, int], changes: dict[str, Any], expected: IssueType | None
) -> None:
    verdicts = encoder_verdicts(replace(FINE, **changes), Repairs(**counts), WINDOW_S, ())
    assert list(found(verdicts)) == ([expected] if expected else [])
