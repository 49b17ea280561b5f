from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain.streams.stream import Stream
from tests.unit.worker.parts import CONFIG, LISTENING, RTMP
from worker.ingest import refused_senders
from worker.ingest.live_source_opener import MUTE_REASON, WAITING_REASON
from worker.ingest.source_opener import OpenerStatus
from worker.ingest.source_pool import BREAKS_PER_OPENING, SourcePool


class SetOpener:
    """An opener whose state is set."""

    is_listener, rejected = True, None
    begins_as = OpenerStatus.READY

    def __init__(self, before: str) -> None:
        self.before, self.closed = before, False
        self.adopted: Stream | None = None
        self.status, self.reason, self.source, self.segmentation = self.begins_as, "", None, None
        self.receiver: Any = SimpleNamespace(lines=deque(["said"]))

    def update(self, now_s: float) -> None: ...

    def adopt(self, stream: Stream) -> bool:
        self.adopted = stream
        return True

    def must_reopen(self, now_s: float) -> bool:
        return self.status is OpenerStatus.FAILED

    def close(self) -> None:
        self.closed = True


class Harness:
    """A pool of one source, all the openers that it has made, and what it has reported."""

    def __init__(self) -> None:
        self.trials: list[SetOpener] = []
        self.reported: list[tuple[str, str, list[str]]] = []
        report = lambda source, reason, lines: self.reported.append((source, reason, list(lines)))  # noqa: E731
        self.pool = SourcePool(LISTENING, CONFIG, 0, report)
        self.pool._open = self._open  # type: ignore[method-assign, assignment]

    def _open(self, index: int, now_s: float, before: str) -> SetOpener:
        self.trials.append(SetOpener(before))
        return self.trials[-1]

    @property
    def closed(self) -> list[bool]:
        return [opener.closed for opener in self.trials]

    def refuse(self, now_s: float, reason: str) -> None:
        self.pool.update(now_s)
        self.trials[-1].status, self.trials[-1].reason = OpenerStatus.REFUSED, reason
        self.pool.update(now_s)

    def plays(self, now_s: float) -> None:
        self.pool.update(now_s)
        self.pool.failover.record_playing(0, now_s)

    def breaks(self, now_s: float) -> None:
        self.plays(now_s)
        self.pool.record_break(0, now_s + 1, "the encoder failed")


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_a_source_is_reopened_when_its_runs_end_repeatedly(harness: Harness) -> None:
    for n in range(BREAKS_PER_OPENING):
        assert harness.closed in ([], [False])
        harness.breaks(100 * n)
    assert harness.closed == [True]
    harness.breaks(1_000)
    assert harness.closed == [True, False], "a new one has all its chances"


def test_a_run_that_lasted_gives_its_source_another_chance(harness: Harness) -> None:
    for n in range(10):
        harness.breaks(100 * n)
        harness.pool.record_stable(0)
    assert harness.closed == [False]


def test_a_source_whose_format_changes_is_reopened_at_once_each_time(harness: Harness) -> None:
    for n in range(1, 10):
        harness.plays(10 * n)
        assert len(harness.trials) == n and not harness.pool.must_reopen(10 * n)
        harness.trials[-1].status = OpenerStatus.FAILED
        assert harness.pool.must_reopen(10 * n + 9)
        harness.pool.reopen(10 * n + 9)
        assert harness.trials[-1].closed and harness.pool.failover.playing is None
        assert harness.pool.trouble() is None and not harness.pool.must_reopen(10 * n + 9)
        harness.pool.update(10 * n + 9)
        assert len(harness.trials) == n + 1


OTHER_LENGTH, OTHER_BACKUPS, OTHER_KEY = {"segment_seconds": 4}, {"backups": (RTMP,)}, {"ingest_key": "n" * 24}


@pytest.mark.parametrize("changes", [OTHER_LENGTH, OTHER_BACKUPS, {"ingest": RTMP}, OTHER_KEY])
def test_new_settings_close_only_the_sources_that_they_change(harness: Harness, changes: dict[str, Any]) -> None:
    harness.plays(0)
    kept = changes in (OTHER_LENGTH, OTHER_BACKUPS)
    new = replace(LISTENING, **changes)
    harness.pool.adopt(new, 1)
    assert (harness.trials[0].adopted == new, harness.trials[0].closed) == (kept, not kept)
    assert harness.pool.failover.playing is None
    harness.pool.update(2)
    assert harness.pool.failover.pick(2) == 0 and len(harness.trials) == (1 if kept else 2)


@pytest.mark.parametrize("status", [OpenerStatus.FAILED, OpenerStatus.REFUSED])
def test_new_settings_try_again_what_did_not_work(harness: Harness, status: OpenerStatus) -> None:
    harness.plays(0)
    harness.trials[0].status = status
    harness.pool.adopt(replace(LISTENING, **OTHER_LENGTH), 1)
    harness.pool.update(1)
    assert harness.closed == [True, False]


def test_why_a_source_is_not_played_is_reported_and_passed_to_the_next_opener(harness: Harness) -> None:
    harness.pool.update(0)
    opener = harness.trials[0]
    opener.status, opener.reason = OpenerStatus.WAITING, "waiting"
    harness.pool.update(1)
    opener.status, opener.reason = OpenerStatus.FAILED, MUTE_REASON
    harness.pool.update(2)
    assert harness.reported == [("primary", "waiting", ["said"]), ("primary", MUTE_REASON, ["said"])]
    harness.pool.update(10)
    assert [opener.before for opener in harness.trials] == ["", MUTE_REASON]
    harness.pool.update(11)
    harness.pool._close(0)
    harness.pool.update(20)
    assert harness.trials[-1].before == "", "it was ready meanwhile"


def test_a_refused_sender_is_named_with_what_it_said_until_another_plays(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_senders, "_now", lambda: datetime(2026, 1, 1, 11, 15, 50, tzinfo=UTC))
    harness.refuse(0, "there is no programme 9")
    refused = "the last sender was refused at 11:15:50 UTC: there is no programme 9"
    assert harness.pool._refused[0] == (refused, ["said"])
    monkeypatch.setattr(SetOpener, "begins_as", OpenerStatus.WAITING)
    harness.pool.update(10)
    opener = harness.trials[-1]
    opener.reason = "waiting: the last sender was refused"
    opener.receiver.lines = deque(["more"])
    harness.pool.update(3_600)
    assert harness.reported[-1] == ("primary", opener.reason, ["said", "more"])
    # A sender that has gone before anything came of it changes nothing.
    opener.status, opener.reason = OpenerStatus.FAILED, WAITING_REASON
    for now_s in (3_601, 3_610):
        harness.pool.update(now_s)
        assert 0 in harness.pool._refused
    harness.trials[-1].status = OpenerStatus.READY
    harness.pool.update(3_611)
    assert 0 not in harness.pool._refused, "one can be played"
    harness.pool._close(0)
    harness.refuse(3_620, "it has to be turned")
    harness.pool.update(3_630)
    harness.trials[-1].status, harness.trials[-1].reason = OpenerStatus.FAILED, MUTE_REASON
    harness.pool.update(3_640)
    assert 0 not in harness.pool._refused, "there is something newer to say"


def test_the_times_at_which_senders_began_and_the_last_rejection_are_kept(harness: Harness) -> None:
    harness.pool.update(1)
    harness.pool.update(2)
    assert list(harness.pool.connected_s) == [1], "it is the same sender"
    opener = harness.trials[-1]
    opener.status, opener.rejected = OpenerStatus.WAITING, ("wrong key", 3.0)  # type: ignore[assignment]
    harness.pool.update(3)
    opener.status, opener.rejected, opener.receiver = OpenerStatus.READY, None, SimpleNamespace(lines=deque())
    harness.pool.update(4)
    assert list(harness.pool.connected_s) == [1, 4]
    assert harness.pool.rejected == ("wrong key", 3.0)
