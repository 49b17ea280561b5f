"""The port `Runtimes`: claims and reports, over the fake and over DynamoDB."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.adapters.dynamodb import from_row, to_row
from chalicelib.adapters.streams.media_health_item import health_of, health_values
from chalicelib.domain.streams.media_health import (
    TRACK_TEXT_CHARS_MAX,
    TRACKS_MAX,
    Repairs,
    SourceTrack,
    TrackKind,
)
from chalicelib.domain.streams.runtime import Claim, PublishedRendition, Runtime, RuntimeState, Waiting, is_delivered
from chalicelib.ports.streams.streams import Runtimes

NOW = 1_800_000_000_000
SOON = NOW + 10_000
LIVE = Runtime(
    stream_id="stream-1",
    state=RuntimeState.LIVE,
    generation=3,
    reported_at_ms=NOW,
    last_manifest_at_ms=NOW - 5,
    bitrate_bps=2_900_000,
    fps=25.0,
    speed=0.99,
    dropped_frames=2,
    restarts=1,
    last_error="ffmpeg was killed by SIGKILL",
    ingest_bitrate_bps=3_100_000,
    segments_per_minute=29.5,
    source="backup-1",
    published=(
        PublishedRendition(
            name="480p",
            width=854,
            height=480,
            fps=23.976,
            codecs="avc1.64001e,mp4a.40.2",
            bandwidth_bps=1_400_000,
            average_bandwidth_bps=1_100_000,
        ),
    ),
    tracks=(
        SourceTrack(kind=TrackKind.VIDEO, track=1, program=None, codec="h264", details="1280x720, 25 fps"),
        SourceTrack(
            kind=TrackKind.AUDIO,
            track=2,
            program=1_003,
            codec="ac3",
            language="deu",
            title="Kommentar",
            details="48000 Hz, 5.1",
            is_default=True,
            is_played=True,
        ),
    ),
    repairs=Repairs(silence_ms=1_200, drift_ppm=-300, restarts_avoided=1),
)
PLAIN, TRACK = LIVE.tracks


runtimes = pytest.fixture(lambda stores: stores.runtimes)


def stored(runtimes: Runtimes) -> Runtime:
    runtime = runtimes.get("stream-1")
    assert runtime
    return runtime


def claimed(runtimes: Runtimes, worker_id: str = "w1", now_ms: int = NOW) -> Claim:
    claim = runtimes.claim("stream-1", worker_id, now_ms, now_ms + 10_000)
    assert claim is not None
    return claim


def test_a_free_stream_is_claimed_and_shown_as_starting(runtimes: Runtimes) -> None:
    assert runtimes.get("stream-1") is None
    claim = claimed(runtimes)
    assert claim == Claim(stream_id="stream-1", worker_id="w1", epoch=1, expires_at_ms=SOON)
    assert runtimes.get("stream-1") == Runtime(
        stream_id="stream-1", state=RuntimeState.STARTING, claim=claim, down_since_ms=NOW
    )


def test_a_claim_keeps_others_out_until_it_expires(runtimes: Runtimes) -> None:
    claimed(runtimes)
    assert runtimes.claim("stream-1", "w2", SOON - 1, SOON + 10_000) is None
    taken = runtimes.claim("stream-1", "w2", SOON, SOON + 10_000)
    assert taken and (taken.worker_id, taken.epoch) == ("w2", 2)
    # A worker takes its own again with a higher epoch.
    assert claimed(runtimes, "w2", SOON).epoch == 3
    assert runtimes.renew(taken, SOON, SOON + 10_000, None) is None
    assert not runtimes.report(taken, LIVE)


def test_a_new_claim_does_not_inherit_that_the_stream_is_live(runtimes: Runtimes) -> None:
    first = claimed(runtimes)
    assert runtimes.report(first, LIVE)
    assert is_delivered(runtimes.get("stream-1"), NOW)
    second = claimed(runtimes)
    runtime = runtimes.get("stream-1")
    assert not is_delivered(runtime, NOW)
    assert runtime == replace(LIVE, state=RuntimeState.STARTING, claim=second, down_since_ms=LIVE.last_manifest_at_ms)


def test_a_claim_is_renewed_until_it_has_expired(runtimes: Runtimes) -> None:
    claim = claimed(runtimes)
    renewed = runtimes.renew(claim, SOON - 1, SOON + 60_000, None)
    assert renewed == replace(claim, expires_at_ms=SOON + 60_000)
    assert runtimes.claim("stream-1", "w2", SOON + 59_999, SOON + 90_000) is None
    # No worker claimed it, but viewers have seen that the stream is down.
    assert runtimes.renew(claim, SOON + 60_000, SOON + 90_000, None) is None
    assert not runtimes.report(claim, replace(LIVE, reported_at_ms=SOON + 60_000))


def test_releasing_lets_others_in_at_once_and_the_epoch_rises_on(runtimes: Runtimes) -> None:
    claim = claimed(runtimes)
    runtimes.release(claim)
    assert stored(runtimes).claim is None
    assert runtimes.renew(claim, NOW, SOON, None) is None
    assert claimed(runtimes, "w2").epoch == 2
    # The old owner's release comes late and changes nothing.
    runtimes.release(claim)
    claim = stored(runtimes).claim
    assert claim and claim.worker_id == "w2"


def test_a_report_is_read_back_whole_and_leaves_the_claim_alone(runtimes: Runtimes) -> None:
    claim = claimed(runtimes)
    renewed = runtimes.renew(claim, NOW, SOON + 5_000, None)
    assert runtimes.report(claim, LIVE)
    assert runtimes.get("stream-1") == replace(LIVE, claim=renewed)
    bare = Runtime(stream_id="stream-1", state=RuntimeState.BACKOFF, reported_at_ms=NOW + 1)
    assert runtimes.report(claim, bare)
    assert runtimes.get("stream-1") == replace(bare, claim=renewed)
    # A run that repaired nothing is another than one of which nothing is known.
    for repairs in (Repairs(), None):
        assert runtimes.report(claim, replace(LIVE, repairs=repairs))
        assert runtimes.get("stream-1") == replace(LIVE, repairs=repairs, claim=renewed)


def test_what_a_source_says_of_itself_is_bounded(runtimes: Runtimes) -> None:
    long = "x" * 100_000
    wordy = replace(TRACK, codec=long, language=long, title=long, details=long)
    assert runtimes.report(claimed(runtimes), replace(LIVE, tracks=(wordy,) * (TRACKS_MAX + 1)))
    runtime, text = stored(runtimes), "x" * TRACK_TEXT_CHARS_MAX
    assert runtime.tracks == (replace(TRACK, codec=text, language=text, title=text, details=text),) * TRACKS_MAX


def test_a_dead_workers_runtime_is_marked_unless_somebody_took_it(runtimes: Runtimes) -> None:
    claim = claimed(runtimes)
    runtimes.report(claim, LIVE)
    seen = stored(runtimes)
    runtimes.mark_unclaimed(seen, RuntimeState.STALLED, "its worker is gone", Waiting.NO_WORKER, NOW)
    marks = {"last_error": "its worker is gone", "waiting": Waiting.NO_WORKER, "down_since_ms": NOW}
    assert stored(runtimes) == replace(seen, state=RuntimeState.STALLED, **marks)
    claimed(runtimes, "w2", SOON)
    runtimes.mark_unclaimed(seen, RuntimeState.FAILED, "too late", Waiting.NO_CAPACITY, NOW)
    runtime = stored(runtimes)
    assert (runtime.waiting, runtime.state) == (None, RuntimeState.STARTING)
    assert runtime.last_error == "its worker is gone"


def test_a_renewed_or_a_released_claim_is_not_marked_as_seen_before(runtimes: Runtimes) -> None:
    claim = claimed(runtimes)
    seen = stored(runtimes)
    runtimes.renew(claim, NOW, SOON + 1, None)
    runtimes.mark_unclaimed(seen, RuntimeState.FAILED, None, None, NOW)
    assert stored(runtimes).state is RuntimeState.STARTING
    runtimes.release(claim)
    runtimes.mark_unclaimed(stored(runtimes), RuntimeState.STOPPED, None, None, NOW)
    assert stored(runtimes).state is RuntimeState.STOPPED


def test_of_many_workers_exactly_one_claims(runtimes: Runtimes) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: runtimes.claim("stream-1", f"w{n}", NOW, SOON), range(8)))
    assert sum(claim is not None for claim in claims) == 1


def test_a_row_of_an_older_or_newer_version_is_read_and_defaults_take_no_room():
    assert health_of({}) == {"tracks": (), "repairs": None}
    runtime = Runtime(stream_id="s", tracks=(PLAIN,), repairs=Repairs(silence_ms=4))
    row = from_row(to_row(health_values(runtime)))
    row["tracks"] = [{**row["tracks"][0], "new": 1}, {**row["tracks"][0], "kind": "subtitles"}]
    row["repairs"]["new"] = 1
    assert health_of(row) == {"tracks": (PLAIN,), "repairs": Repairs(silence_ms=4)}
    runtime = Runtime(stream_id="s", tracks=(PLAIN,), repairs=Repairs())
    track = {"kind": TrackKind.VIDEO, "track": 1, "program": None, "codec": "h264", "details": PLAIN.details}
    assert health_values(runtime) == {"tracks": [track], "repairs": {}}
