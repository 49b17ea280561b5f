"""Opening one live source: why it waits, what its receiver refuses, and what is remembered of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode, ListenProtocol
from chalicelib.domain.streams.source_urls import check_source_url
from chalicelib.domain.streams.stream import Stream
from tests.fixtures.settings import worker_config
from worker.ingest import live_source_opener, refused_senders
from worker.ingest.hls.variants import limits_of
from worker.ingest.live_source_opener import (
    MUTE_REASON,
    REOPEN_S_MIN,
    RTMP_HINT,
    SETTLED_S,
    SILENCE_REPORTED_S,
    SOUND_ALONE_REASON,
    WAITING_REASON,
    LiveSourceOpener,
)
from worker.ingest.source_opener import OpenerStatus
from worker.ingest.source_pool import SourcePool
from worker.receiving.request import EXIT_MUTE, EXIT_REFUSED

SRT = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.SRT, port=9_000)
RTMP = Ingest(mode=IngestMode.LISTEN, protocol=ListenProtocol.RTMP)
STREAM = Stream(stream_id="stream-1", title="t", ingest=SRT, ingest_key="k" * 24)
CONFIG = worker_config()
BROKEN = "Input/output error"


class SetReceiver:
    """A receiver that runs or has ended, from which nothing has come."""

    began_at_s: float | None = None
    source, refusal = None, ""
    has_sound_alone = False
    lines: tuple[str, ...] = ()
    keyframes = SimpleNamespace(are_too_long=False)

    def __init__(self, ended: str = "", exit_status: int = 1) -> None:
        self._ended = ended
        self.is_running = not ended
        self.exit_status = exit_status if ended else None

    def ending(self) -> str:
        return self._ended


def reason_of(ingest: Ingest, waited_s: float, ended: str = "", before: str = "", exit_status: int = 1) -> str:
    opener = LiveSourceOpener(ingest, STREAM, CONFIG, 0, before)
    opener._judge(SetReceiver(ended, exit_status), waited_s)  # type: ignore[arg-type]
    assert opener.status is (OpenerStatus.FAILED if ended else OpenerStatus.WAITING)
    return opener.reason


def test_a_mute_sender_is_distinguished_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    assert reason_of(SRT, 3_600) == WAITING_REASON
    assert reason_of(RTMP, SILENCE_REPORTED_S - 1) == WAITING_REASON
    assert reason_of(RTMP, SILENCE_REPORTED_S) == f"{WAITING_REASON}: no picture has come for 20 s{RTMP_HINT}"
    for listener, hint in ((SRT, ""), (RTMP, RTMP_HINT)):
        assert reason_of(listener, 10, "somebody sent nothing", exit_status=EXIT_MUTE) == MUTE_REASON + hint
    monkeypatch.setattr(SetReceiver, "has_sound_alone", True)
    assert reason_of(SRT, 11, before=MUTE_REASON) == SOUND_ALONE_REASON
    assert reason_of(RTMP, 5, BROKEN) == f"{WAITING_REASON} ({BROKEN})"


@pytest.mark.parametrize("ingest", [SRT, RTMP, Ingest(mode=IngestMode.FILE, path="a.mp4")])
def test_a_source_that_its_receiver_refuses_is_refused(monkeypatch: pytest.MonkeyPatch, ingest: Ingest) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    opener = LiveSourceOpener(ingest, STREAM, CONFIG, 0)
    opener._judge(SetReceiver("there is no programme 9", EXIT_REFUSED), 1)  # type: ignore[arg-type]
    assert (opener.status, opener.reason) == (OpenerStatus.REFUSED, "there is no programme 9")


def test_the_last_failure_is_reported_until_the_new_opening_has_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    assert reason_of(SRT, SETTLED_S - 1, before="no service") == "no service"
    assert reason_of(SRT, SETTLED_S, before="no service") == WAITING_REASON
    # No other sender has come since.
    for reason in (MUTE_REASON, MUTE_REASON + RTMP_HINT):
        assert reason_of(SRT, 3_600, before=reason) == reason_of(RTMP, 3_600, before=reason) == reason


PULLED = Ingest(mode=IngestMode.PULL, url="https://cdn.test/live.m3u8")


def test_what_was_played_of_a_source_is_remembered_until_the_source_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    stream = replace(STREAM, ingest=PULLED, backups=(PULLED,))
    pool = SourcePool(stream, CONFIG, 0, lambda *what: None)
    first, backup = (pool._open(index, 0, "")._played for index in (0, 1))
    assert pool._open(0, 0, "")._played is first is not backup
    pool.adopt(replace(stream, segment_seconds=4, ingest=replace(PULLED, url="https://cdn.test/other.m3u8")), 1)
    assert pool._open(0, 0, "")._played is not first and pool._open(1, 0, "")._played is backup


@pytest.mark.parametrize(("variants", "profile", "kept"), [(3, "sd", False), (3, "hd", True), (0, "sd", True)])
def test_a_new_ladder_opens_a_source_again_that_has_other_variants(
    monkeypatch: pytest.MonkeyPatch, variants: int, profile: str, kept: bool
) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    opener = LiveSourceOpener(PULLED, STREAM, CONFIG, 0)
    opener.receiver = SetReceiver()  # type: ignore[assignment]
    opener._egress = SimpleNamespace(hls=SimpleNamespace(variant_count=variants))  # type: ignore[assignment]
    assert opener.adopt(replace(STREAM, abr_profile=profile)) is kept


def test_a_described_source_is_given_time_until_its_first_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    opener, receiver = LiveSourceOpener(PULLED, STREAM, CONFIG, 0), SetReceiver()
    monkeypatch.setattr(receiver, "source", object())
    monkeypatch.setattr(receiver, "is_flowing", lambda now_s, silent_s: receiver.began_at_s is not None, raising=False)
    opener._judge(receiver, 1)  # type: ignore[arg-type]
    assert opener.status is OpenerStatus.OPENING
    receiver.began_at_s = 1.0
    opener._judge(receiver, 1.1)  # type: ignore[arg-type]
    assert opener.status is OpenerStatus.READY


def test_the_proxy_knows_the_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    opener = LiveSourceOpener(PULLED, STREAM, CONFIG, 0)
    opener._command((check_source_url("https://cdn.test/live.m3u8"), None))
    try:
        assert opener._egress and opener._egress.hls._limits == limits_of(STREAM.renditions)
    finally:
        opener.close()


def test_a_playlist_that_is_still_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    still = "the playlist at cdn.test has had no new segment for 34 s"
    hls = SimpleNamespace(failure=lambda: still, stillness=lambda: still)
    opener = LiveSourceOpener(PULLED, STREAM, CONFIG, 0)
    opener._egress = SimpleNamespace(hls=hls, last_refusal=None)  # type: ignore[assignment]
    opener._judge(SetReceiver(), 40)  # type: ignore[arg-type]
    assert (opener.status, opener.reason) == (OpenerStatus.FAILED, still)
    opener._judge(SetReceiver("https://cdn.test/a: Input/output error"), 40)  # type: ignore[arg-type]
    assert opener.reason == f"{still} (https://cdn.test/a: Input/output error)"
    opener._egress.last_refusal = "cdn.test answered 503"
    opener._judge(SetReceiver(), 40)  # type: ignore[arg-type]
    assert opener.reason == f"cdn.test answered 503 ({still})"


class SetWatcher:
    """A process that waits for movement until something has moved, or until it is killed."""

    is_running = True

    def kill(self) -> None:
        self.is_running = False


def test_a_source_is_frozen_until_it_moves_or_the_rule_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: SimpleNamespace(is_done=False))
    stream = replace(STREAM, ingest=PULLED, backups=(Ingest(mode=IngestMode.TEST),), frozen_after_s=30)
    pool = SourcePool(stream, CONFIG, 0, lambda *what: None)
    pool.update(0)
    opener = pool.opener(0)
    assert isinstance(opener, LiveSourceOpener)
    assert pool.frozen_sources() == ()
    opener.receiver = SimpleNamespace(refusal="", is_running=True, source=None, began_at_s=0.0)  # type: ignore[assignment]
    opener._movement, opener._frozen = SetWatcher(), "frozen for 30 s"  # type: ignore[assignment]
    opener._judge(opener.receiver, 1)  # type: ignore[arg-type]
    assert (opener.status, opener.reason, pool.frozen_sources()) == (
        OpenerStatus.WAITING,
        "frozen for 30 s",
        ("primary",),
    )
    assert opener.adopt(replace(stream, frozen_after_s=60)) and pool.frozen_sources() == ("primary",)
    assert opener.adopt(replace(stream, frozen_after_s=0)) and pool.frozen_sources() == ()


def test_a_source_is_reopened_only_after_all_came_that_it_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    opener = LiveSourceOpener(PULLED, STREAM, CONFIG, 0)
    assert not opener.must_reopen(REOPEN_S_MIN)
    hls = SimpleNamespace(changes_format=lambda: True)
    opener._egress = SimpleNamespace(hls=hls)  # type: ignore[assignment]
    opener.receiver = SetReceiver()  # type: ignore[assignment]
    assert not opener.must_reopen(REOPEN_S_MIN)
    opener.receiver = SetReceiver("the source ended", 0)  # type: ignore[assignment]
    assert opener.must_reopen(REOPEN_S_MIN)
    assert not opener.must_reopen(REOPEN_S_MIN - 1), "its format changes too often"
    hls.changes_format = lambda: False
    assert not opener.must_reopen(REOPEN_S_MIN)


def test_a_refused_or_rejected_sender_stays_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    receiver = SetReceiver()
    opener = LiveSourceOpener(SRT, STREAM, CONFIG, 0, "it is turned", refused="the last sender was refused")
    opener._judge(receiver, 3_600)  # type: ignore[arg-type]
    assert opener.reason == f"{WAITING_REASON}: the last sender was refused"
    wrong = "SRT:RcvQ:w1!W:SRT.cn: processConnectRequest: rsp(REJECT): 1010 - Incorrect passphrase"
    # A sender that tries again and again changes the reason once a minute.
    for after_s, line, shown in ((0, wrong, 0), (30, f"1 {wrong}", 0), (90, f"2 {wrong}", 90), (900, f"2 {wrong}", 90)):
        at = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=each) for each in (after_s, shown)]
        monkeypatch.setattr(refused_senders, "_now", lambda now=at[0]: now)
        receiver.lines = ("another line", line, "another line")
        opener._judge(receiver, 3_600)  # type: ignore[arg-type]
        assert opener.reason == (
            f"{WAITING_REASON}: a sender was rejected at {at[1]:%H:%M:%S} UTC: its passphrase is not the stream's key"
        )


@pytest.mark.parametrize(
    ("profile", "path", "refused"),
    [("source", None, True), ("hd", None, False), ("source", Path("in.mp4"), False)],
)
def test_a_live_source_with_far_keyframes_is_not_copied(
    monkeypatch: pytest.MonkeyPatch, profile: str, path: Path | None, refused: bool
) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: None)
    opener, receiver = LiveSourceOpener(SRT, replace(STREAM, abr_profile=profile), CONFIG, 0), SetReceiver()
    monkeypatch.setattr(receiver, "keyframes", SimpleNamespace(are_too_long=True))
    opener._path = path
    opener._judge(receiver, 1)  # type: ignore[arg-type]
    assert (opener.status is OpenerStatus.REFUSED) is refused
    assert ("has keyframes more than 10 s apart" in opener.reason) is refused
