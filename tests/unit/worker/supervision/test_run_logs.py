"""The encoder's log is stored for operators, and never affects the stream."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from chalicelib.domain.streams.media_health import Repairs
from chalicelib.domain.streams.run_logs import (
    LINE_CHARS_MAX,
    LINES_KEPT,
    NOTE_CHARS_MAX,
    RUNS_KEPT,
    RunLog,
    decode,
    encode,
    newest_logs,
    run_log_key,
)
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.media import EtagMismatch
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.fakes.streams.runtimes import MemoryRuntimes
from worker import claims
from worker.encoding.transcoder import Progress, Transcoder
from worker.supervision import run_logs
from worker.supervision.run_logs import RunLogs

KEY = run_log_key("stream-1")
RUN = RunLog(worker_id="w1", run="1-1", source="primary", began_at_ms=1, ended_at_ms=9, ending="x", lines=("a", "b"))


def saying(*lines: str, progress: Progress | None = None, notes: tuple[str, ...] = ()) -> Transcoder:
    """Return a run with this log."""
    run = SimpleNamespace(lines=deque(lines), progress=progress or Progress(), notes=deque(notes))
    return cast(Transcoder, run)


class Harness:
    """The logs of one claim, over a store in memory that fails on request."""

    def __init__(self, worker_id: str = "w1", media: MemoryMedia | None = None) -> None:
        self.stored, self.clock = media or MemoryMedia(), SetClock()
        self.media = FaultyMedia(self.stored)
        held_claim = claims.claim_stream(MemoryRuntimes(), self.clock, "stream-1", worker_id)
        assert held_claim
        self.held_claim = held_claim
        self.logs = RunLogs(self.media, self.clock, held_claim, lambda: ("the-ingest-key",))

    def stored_runs(self) -> tuple[RunLog, ...]:
        found = self.stored.get(KEY)
        return decode(found.body) if found else ()


@pytest.fixture
def harness() -> Harness:
    return Harness()


def eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_what_is_stored_is_read_back_and_foreign_bytes_are_nothing() -> None:
    repaired = replace(RUN, repairs=Repairs(silence_ms=40, drift_ppm=-300), notes=("made 40 ms of silence", "x"))
    assert decode(encode([RUN, repaired])) == (RUN, repaired)
    assert decode(encode([RUN]).replace(b'"run"', b'"new":1,"run"')) == (RUN,)
    # As an older version has stored it, and a newer one.
    assert decode(encode([RUN]).replace(b',"repairs":null,"notes":[]', b"")) == (RUN,)
    assert decode(encode([repaired]).replace(b'"silence_ms"', b'"new":1,"silence_ms"')) == (repaired,)
    for body in (b"", b"[]", b"null", b'{"runs": 3}', b'{"runs": [{}]}', b"\xff"):
        assert decode(body) == ()


def test_the_newest_runs_are_kept_and_the_later_word_on_a_run_counts() -> None:
    runs = [replace(RUN, run=f"1-{n}", began_at_ms=n) for n in range(8)]
    kept = newest_logs([replace(runs[7], ending=None), *runs])
    assert [run.began_at_ms for run in kept] == [7, 6, 5, 4, 3]
    assert kept[0].ending == "x"


def test_a_run_is_stored_when_it_ends_without_its_secrets(harness: Harness) -> None:
    harness.logs.start()
    said = saying("opening https://h/x?token=1", "the-ingest-key is wrong", "y" * 2_000)
    run = harness.logs.add_run("1-1", "backup-1", said, deque())
    harness.clock.advance(500)
    run.close("the encoder ended with status 1: srt://h:1?passphrase=0123456789")
    assert eventually(harness.stored_runs)
    harness.logs.close(5)
    now_ms = harness.clock.now_ms()
    assert harness.stored_runs() == (
        RunLog(
            worker_id="w1",
            run="1-1",
            source="backup-1",
            began_at_ms=now_ms - 500,
            ended_at_ms=now_ms,
            ending="the encoder ended with status 1: srt://h:1?***",
            lines=("opening https://h/x?***", "*** is wrong", "y" * LINE_CHARS_MAX),
        ),
    )


def test_what_the_receiver_of_a_source_says_stands_beside_it(harness: Harness) -> None:
    harness.logs.start()
    received = deque(["the-ingest-key is wrong", *("x" * n for n in range(LINES_KEPT))])
    harness.logs.add_run("1-1", "primary", saying("encoded"), received).close("killed")
    harness.logs.close(5)
    (run,) = harness.stored_runs()
    assert run.lines == ("encoded",)
    assert len(run.source_lines) == LINES_KEPT and run.source_lines[-1] == "x" * (LINES_KEPT - 1)


def test_what_a_run_repairs_is_stored_with_it(harness: Harness) -> None:
    harness.logs.start()
    repairs = Repairs(silence_ms=40, pictures_dropped=2)
    run = saying(progress=Progress(repairs=repairs), notes=("40 ms of sound are missing", "n" * 2_000))
    harness.logs.add_run("1-1", "primary", run, deque()).close("killed")
    harness.logs.close(5)
    (stored,) = harness.stored_runs()
    assert stored.repairs == repairs
    assert stored.notes == ("40 ms of sound are missing", "n" * NOTE_CHARS_MAX)


def test_a_source_that_was_never_opened_has_its_reason_stored(harness: Harness) -> None:
    harness.logs.start()
    harness.logs.add_unopened("primary", "no address: srt://h:1?passphrase=0123456789", deque())
    assert eventually(harness.stored_runs)
    began_at_ms = harness.clock.now_ms()
    harness.clock.advance(1)
    lines = deque(["the-ingest-key is wrong"])
    harness.logs.add_unopened("primary", "no address: srt://h:1?passphrase=0123456789", lines)
    harness.logs.add_unopened("backup-1", "waiting", deque())
    assert eventually(lambda: len(harness.stored_runs()) == 2)
    lines.append("and wrong again")
    harness.logs.close(5)
    later, first = harness.stored_runs()
    assert (first.run, first.source, first.began_at_ms) == (None, "primary", began_at_ms)
    assert first.ending == "no address: srt://h:1?***"
    assert first.source_lines == ("*** is wrong", "and wrong again")
    assert (later.run, later.source, later.ending) == (None, "backup-1", "waiting")


def test_an_opening_lasts_until_its_run_begins_and_the_next_one_is_another(harness: Harness) -> None:
    harness.logs.start()
    harness.logs.add_unopened("primary", "waiting", deque())
    assert eventually(harness.stored_runs)
    (first,) = harness.stored_runs()
    assert (first.ending, first.ended_at_ms) == ("waiting", None)
    harness.clock.advance(1_000)
    run = harness.logs.add_run("1-1", "primary", saying(), deque())
    assert eventually(lambda: len(harness.stored_runs()) == 2)
    assert harness.stored_runs()[1] == replace(first, ended_at_ms=harness.clock.now_ms())
    harness.clock.advance(1_000)
    run.close("gone")
    harness.logs.add_unopened("primary", "waiting", deque())
    harness.logs.close(5)
    later, _ = harness.stored_runs()
    assert (later.run, later.began_at_ms, later.ended_at_ms) == (None, harness.clock.now_ms(), None)


def test_a_source_has_one_opening_which_takes_no_runs_place() -> None:
    runs = [replace(RUN, run=f"1-{n}", began_at_ms=n) for n in range(8)]
    add_unopened = [replace(RUN, run=None, worker_id=f"w{n}", began_at_ms=n) for n in range(20)]
    kept = newest_logs([*add_unopened, *runs, replace(add_unopened[0], source="backup-1")])
    assert [(log.run, log.began_at_ms) for log in kept] == [
        (None, 19),
        *((f"1-{n}", n) for n in (7, 6, 5, 4, 3)),
        (None, 0),
    ]
    assert decode(encode(kept)) == kept


def test_what_a_running_encoder_says_is_stored_now_and_then(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_logs, "INTERVAL_S", 0.05)
    monkeypatch.setattr(run_logs, "ENDED_INTERVAL_S", 0.01)
    puts: list[str] = []
    harness.media.before = lambda operation, key: puts.append(operation) if operation == "put" else None
    harness.logs.start()
    run = saying("one")
    harness.logs.add_run("1-1", "primary", run, deque())
    assert eventually(lambda: [run.lines for run in harness.stored_runs()] == [("one",)])
    run.lines.append("two")
    assert eventually(lambda: [run.lines for run in harness.stored_runs()] == [("one", "two")])
    time.sleep(0.3)
    harness.logs.close(5)
    assert len(puts) == 2, "nothing new, nothing written"


def test_the_next_worker_keeps_the_runs_of_the_last_one(harness: Harness) -> None:
    harness.logs.start()
    harness.logs.add_run("1-1", "primary", saying("first"), deque()).close("killed")
    harness.logs.close(5)
    other = Harness("w2", harness.stored)
    other.clock.advance(1_000)
    # Another worker writes between this one's reading and its writing.
    theirs = replace(RUN, worker_id="w9", began_at_ms=other.clock.now_ms() + 1)

    def meanwhile(operation: str, key: str) -> None:
        if operation == "put":
            other.media.before = lambda operation, key: None
            harness.stored.put(KEY, encode([theirs, *harness.stored_runs()]), "application/json")

    other.media.before = meanwhile
    other.logs.start()
    for number in range(RUNS_KEPT - 2):
        other.logs.add_run(f"2-{number}", "primary", saying(), deque()).close("killed")
    other.logs.close(5)
    kept = {(run.worker_id, run.run) for run in other.stored_runs()}
    assert kept == {("w1", "1-1"), ("w9", "1-1"), *(("w2", f"2-{number}") for number in range(RUNS_KEPT - 2))}


@pytest.mark.parametrize("error", [StoreUnavailable("no answer"), EtagMismatch("again"), RuntimeError("a mistake")])
def test_a_store_that_fails_affects_no_stream_and_is_tried_again(harness: Harness, error: Exception) -> None:
    failed = threading.Event()

    def fail(operation: str, key: str) -> None:
        if not failed.is_set() and operation == "put":
            failed.set()
            harness.media.before = lambda operation, key: None
            raise error

    harness.media.before = fail
    harness.logs.start()
    harness.logs.add_run("1-1", "primary", saying(), deque()).close("killed")
    assert failed.wait(5)
    harness.logs.close(5)
    assert not harness.logs.is_alive()
    assert len(harness.stored_runs()) == 1


def test_without_a_claim_nothing_is_written(harness: Harness) -> None:
    harness.held_claim.give_up()
    harness.logs.start()
    harness.logs.add_run("1-1", "primary", saying(), deque()).close("killed")
    harness.logs.close(5)
    assert harness.stored_runs() == ()


def test_closing_waits_no_longer_than_it_may(harness: Harness) -> None:
    release = threading.Event()
    harness.media.before = lambda operation, key: release.wait(10) and None
    harness.logs.start()
    harness.logs.add_run("1-1", "primary", saying(), deque()).close("killed")
    began_s = time.monotonic()
    harness.logs.close(0.2)
    assert time.monotonic() - began_s < 2
    release.set()
    harness.logs.join(5)
