from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.source_urls import check_source_url
from tests.unit.worker.parts import CONFIG, LISTENING, RTMP, SRT
from worker.ingest import live_source_opener, refused_senders
from worker.ingest.hls.variants import limits_of
from worker.ingest.live_source_opener import (
    MUTE_REASON,
    REOPEN_S_MIN,
    RTMP_HINT,
    SETTLED_S,
    WAITING_REASON,
    LiveSourceOpener,
)
from worker.ingest.source_opener import OpenerStatus
from worker.ingest.source_pool import SourcePool
from worker.receiving.request import EXIT_MUTE, EXIT_REFUSED

PULLED = Ingest(mode=IngestMode.PULL, url="https://cdn.test/live.m3u8")


@pytest.fixture(autouse=True)
def nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_source_opener, "BackgroundTask", lambda find: SimpleNamespace(is_done=False))


class SetReceiver:
    """A receiver that runs or has ended, from which nothing has come."""

    began_at_s: float | None = None
    source: Any = None
    refusal = ""
    lines: tuple[str, ...] = ()
    keyframes = SimpleNamespace(are_too_long=False)

    def __init__(self, ended: str = "", exit_status: int = 1, *, has_sound_alone: bool = False) -> None:
        self.ending = lambda: ended
        self.is_running = not ended
        self.exit_status = exit_status if ended else None
        self.has_sound_alone = has_sound_alone
        self.is_flowing = lambda now_s, silent_s: self.began_at_s is not None


def opened(
    receiver: SetReceiver, now_s: float = 1, ingest: Ingest = PULLED, before: str = "", egress: Any = None, **other: Any
) -> LiveSourceOpener:
    """Return an opener after a look at its receiver."""
    opener = LiveSourceOpener(ingest, LISTENING, CONFIG, 0, before, **other)
    opener.receiver, opener._egress = receiver, egress  # type: ignore[assignment]
    opener.update(now_s)
    return opener


def reason_of(ingest: Ingest, waited_s: float, ended: str = "", before: str = "", **receiver: Any) -> str:
    opener = opened(SetReceiver(ended, **receiver), waited_s, ingest, before)
    assert opener.status is (OpenerStatus.FAILED if ended else OpenerStatus.WAITING)
    return opener.reason


def test_a_mute_sender_is_distinguished_from_none_and_the_last_failure_is_reported_for_a_while() -> None:
    assert reason_of(SRT, 3_600) == WAITING_REASON
    assert reason_of(RTMP, live_source_opener.SILENCE_REPORTED_S - 1) == WAITING_REASON
    silent = f"{WAITING_REASON}: no picture has come for 20 s{RTMP_HINT}"
    assert reason_of(RTMP, live_source_opener.SILENCE_REPORTED_S) == silent
    for listener, hint in ((SRT, ""), (RTMP, RTMP_HINT)):
        assert reason_of(listener, 10, "somebody sent nothing", exit_status=EXIT_MUTE) == MUTE_REASON + hint
    assert reason_of(SRT, 11, before=MUTE_REASON, has_sound_alone=True) == live_source_opener.SOUND_ALONE_REASON
    assert reason_of(RTMP, 5, "Input/output error") == f"{WAITING_REASON} (Input/output error)"
    # The last failure is reported until the new opening has settled.
    assert reason_of(SRT, SETTLED_S - 1, before="no service") == "no service"
    assert reason_of(SRT, SETTLED_S, before="no service") == WAITING_REASON
    # No other sender has come since.
    for reason in (MUTE_REASON, MUTE_REASON + RTMP_HINT):
        assert reason_of(SRT, 3_600, before=reason) == reason_of(RTMP, 3_600, before=reason) == reason


def test_the_proxy_knows_the_ladder_and_what_was_played_until_the_source_is_another() -> None:
    stream = replace(LISTENING, ingest=PULLED, backups=(PULLED,))
    pool = SourcePool(stream, CONFIG, 0, lambda *what: None)
    first, backup = (pool._open(index, 0, "")._played for index in (0, 1))
    assert pool._open(0, 0, "")._played is first is not backup
    pool.adopt(replace(stream, segment_seconds=4, ingest=replace(PULLED, url="https://cdn.test/other.m3u8")), 1)
    assert pool._open(0, 0, "")._played is not first and pool._open(1, 0, "")._played is backup
    # The proxy knows the ladder.
    opener = LiveSourceOpener(PULLED, LISTENING, CONFIG, 0)
    opener._command((check_source_url("https://cdn.test/live.m3u8"), None))
    try:
        assert opener._egress and opener._egress.hls._limits == limits_of(LISTENING.renditions)
    finally:
        opener.close()


@pytest.mark.parametrize(("variants", "profile", "kept"), [(3, "sd", False), (3, "hd", True), (0, "sd", True)])
def test_a_new_ladder_opens_a_source_again_that_has_other_variants(variants: int, profile: str, kept: bool) -> None:
    hls = SimpleNamespace(variant_count=variants, failure=lambda: None)
    opener = opened(SetReceiver(), egress=SimpleNamespace(hls=hls))
    assert opener.adopt(replace(LISTENING, abr_profile=profile)) is kept


def test_a_described_source_is_given_time_until_its_first_packet() -> None:
    receiver = SetReceiver()
    receiver.source = object()
    opener = opened(receiver)
    assert opener.status is OpenerStatus.OPENING
    receiver.began_at_s = 1.0
    opener.update(1.1)
    assert opener.status is OpenerStatus.READY
    # One that its receiver refuses is refused.
    for ingest in (SRT, RTMP, Ingest(mode=IngestMode.FILE, path="a.mp4")):
        opener = opened(SetReceiver("there is no programme 9", EXIT_REFUSED), 1, ingest)
        assert (opener.status, opener.reason) == (OpenerStatus.REFUSED, "there is no programme 9")


def test_a_playlist_that_is_still_is_the_reason() -> None:
    still, broken = "the playlist at cdn.test has had no new segment for 34 s", "https://cdn.test/a: Input/output error"
    egress = SimpleNamespace(hls=SimpleNamespace(failure=lambda: still, stillness=lambda: still), last_refusal=None)
    opener = opened(SetReceiver(), 40, egress=egress)
    assert (opener.status, opener.reason) == (OpenerStatus.FAILED, still)
    assert opened(SetReceiver(broken), 40, egress=egress).reason == f"{still} ({broken})"
    egress.last_refusal = "cdn.test answered 503"
    assert opened(SetReceiver(), 40, egress=egress).reason == f"cdn.test answered 503 ({still})"


def test_a_source_is_frozen_until_it_moves_or_the_rule_is_switched_off() -> None:
    stream = replace(LISTENING, ingest=PULLED, backups=(Ingest(mode=IngestMode.TEST),), frozen_after_s=30)
    pool = SourcePool(stream, CONFIG, 0, lambda *what: None)
    pool.update(0)
    opener: Any = pool.opener(0)
    assert isinstance(opener, LiveSourceOpener) and pool.frozen_sources() == ()
    # What waits for movement runs until something has moved, or until it is killed.
    watcher = SimpleNamespace(is_running=True, kill=lambda: setattr(watcher, "is_running", False))
    opener.receiver, opener._movement, opener._frozen = SetReceiver(), watcher, "frozen for 30 s"
    opener.update(1)
    assert (opener.status, opener.reason) == (OpenerStatus.WAITING, "frozen for 30 s")
    assert pool.frozen_sources() == ("primary",)
    assert opener.adopt(replace(stream, frozen_after_s=60)) and pool.frozen_sources() == ("primary",)
    assert opener.adopt(replace(stream, frozen_after_s=0)) and pool.frozen_sources() == ()


def test_a_source_is_reopened_only_after_all_came_that_it_played() -> None:
    hls = SimpleNamespace(changes_format=lambda: True, failure=lambda: None, stillness=lambda: None, ending=lambda: "")
    egress = SimpleNamespace(hls=hls, last_refusal=None)
    assert not opened(SetReceiver("the source ended", 0)).must_reopen(REOPEN_S_MIN), "it is no playlist"
    assert not opened(SetReceiver(), egress=egress).must_reopen(REOPEN_S_MIN)
    opener = opened(SetReceiver("the source ended", 0), egress=egress)
    assert opener.must_reopen(REOPEN_S_MIN)
    assert not opener.must_reopen(REOPEN_S_MIN - 1), "its format changes too often"
    hls.changes_format = lambda: False
    assert not opener.must_reopen(REOPEN_S_MIN)


def test_a_refused_or_rejected_sender_stays_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = SetReceiver()
    opener = opened(receiver, 3_600, SRT, "it is turned", refused="the last sender was refused")
    assert opener.reason == f"{WAITING_REASON}: the last sender was refused"
    wrong = "SRT:RcvQ:w1!W:SRT.cn: processConnectRequest: rsp(REJECT): 1010 - Incorrect passphrase"
    # A sender that tries again and again changes the reason once a minute.
    for after_s, line, shown in ((0, wrong, 0), (30, f"1 {wrong}", 0), (90, f"2 {wrong}", 90), (900, f"2 {wrong}", 90)):
        at = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=each) for each in (after_s, shown)]
        monkeypatch.setattr(refused_senders, "_now", lambda now=at[0]: now)
        receiver.lines = ("another line", line, "another line")
        opener.update(3_600)
        assert opener.reason == (
            f"{WAITING_REASON}: a sender was rejected at {at[1]:%H:%M:%S} UTC: its passphrase is not the stream's key"
        )


def test_a_live_source_with_far_keyframes_is_not_copied() -> None:
    receiver: Any = SetReceiver()
    receiver.keyframes = SimpleNamespace(are_too_long=True)
    for profile, path, refused in (("source", None, True), ("hd", None, False), ("source", Path("in.mp4"), False)):
        opener = LiveSourceOpener(SRT, replace(LISTENING, abr_profile=profile), CONFIG, 0)
        opener.receiver, opener._path = receiver, path
        opener.update(1)
        assert (opener.status is OpenerStatus.REFUSED) is refused
        assert ("has keyframes more than 10 s apart" in opener.reason) is refused
