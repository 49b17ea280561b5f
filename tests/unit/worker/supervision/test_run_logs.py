"""The encoder's log is stored for operators, and never affects the stream."""

import threading
import time
from collections import deque
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.domain.streams import run_logs as stored_logs
from chalicelib.domain.streams.media_health import Repairs
from chalicelib.domain.streams.run_logs import LINES_KEPT, RunLog, decode, encode, newest_logs
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.streams.media import EtagMismatch
from tests.fakes.simple import SetClock
from tests.fakes.streams.media import FaultyMedia, MemoryMedia
from tests.unit.worker.parts import eventually, hold
from worker.encoding.transcoder import Progress
from worker.supervision import run_logs
from worker.supervision.run_logs import OpenLog, RunLogs

KEY = stored_logs.run_log_key("stream-1")
RUN = RunLog(worker_id="w1", run="1-1", source="primary", began_at_ms=1, ended_at_ms=9, ending="x", lines=("a", "b"))
BAD_ADDRESS = "no address: srt://h:1?passphrase=0123456789"


class Harness:
    """The logs of one claim, over a store in memory that fails on request."""

    def __init__(self, worker_id: str = "w1", media: MemoryMedia | None = None) -> None:
        self.stored, self.clock = media or MemoryMedia(), SetClock()
        self.media = FaultyMedia(self.stored)
        self.held_claim = hold(self.clock, worker_id)
        self.logs = RunLogs(self.media, self.clock, self.held_claim, lambda: ("the-ingest-key",))
        self.now_ms = self.clock.now_ms

    def run(self, *lines: str, name: str = "1-1", source: str = "primary", received: Any = (), **more: Any) -> OpenLog:
        """Add a run that has said this."""
        notes, progress = deque(more.get("notes", ())), Progress(repairs=more.get("repairs"))
        self.said = deque(lines)
        run: Any = SimpleNamespace(lines=self.said, progress=progress, notes=notes)
        return self.logs.add_run(name, source, run, deque(received))

    def runs(self) -> tuple[RunLog, ...]:
        found = self.stored.get(KEY)
        return decode(found.body) if found else ()

    def close(self) -> tuple[RunLog, ...]:
        self.logs.close(5)
        return self.runs()


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    monkeypatch.setattr(run_logs, "ENDED_INTERVAL_S", 0.01)
    it = Harness()
    it.logs.start()
    return it


def test_what_is_stored_is_read_back_and_foreign_bytes_are_nothing() -> None:
    repaired = replace(RUN, repairs=Repairs(silence_ms=40, drift_ppm=-300), notes=("made 40 ms of silence", "x"))
    assert decode(encode([RUN, repaired])) == (RUN, repaired)
    assert decode(encode([RUN]).replace(b'"run"', b'"new":1,"run"')) == (RUN,)
    # As an older version has stored it, and a newer one.
    assert decode(encode([RUN]).replace(b',"repairs":null,"notes":[]', b"")) == (RUN,)
    assert decode(encode([repaired]).replace(b'"silence_ms"', b'"new":1,"silence_ms"')) == (repaired,)
    for body in (b"", b"[]", b"null", b'{"runs": 3}', b'{"runs": [{}]}', b"\xff"):
        assert decode(body) == ()


def test_the_newest_runs_are_kept_and_a_source_has_one_opening_which_takes_no_runs_place() -> None:
    runs = [replace(RUN, run=f"1-{n}", began_at_ms=n) for n in range(8)]
    kept = newest_logs([replace(runs[7], ending=None), *runs])
    assert [run.began_at_ms for run in kept] == [7, 6, 5, 4, 3]
    assert kept[0].ending == "x", "the later word on a run counts"
    unopened = [replace(RUN, run=None, worker_id=f"w{n}", began_at_ms=n) for n in range(20)]
    kept = newest_logs([*unopened, *runs, replace(unopened[0], source="backup-1")])
    expected = [(None, 19), *((f"1-{n}", n) for n in (7, 6, 5, 4, 3)), (None, 0)]
    assert [(log.run, log.began_at_ms) for log in kept] == expected
    assert decode(encode(kept)) == kept


def test_a_run_is_stored_when_it_ends_without_its_secrets(harness: Harness) -> None:
    repairs, note = Repairs(silence_ms=40, pictures_dropped=2), "40 ms of sound are missing"
    said = ("opening https://h/x?token=1", "the-ingest-key is wrong", "y" * 2_000)
    received = ["the-ingest-key is wrong", *("x" * n for n in range(LINES_KEPT))]
    run = harness.run(*said, source="backup-1", received=received, repairs=repairs, notes=(note, "n" * 2_000))
    harness.clock.advance(500)
    run.close("the encoder ended with status 1: srt://h:1?passphrase=0123456789")
    assert eventually(harness.runs)
    (stored,) = harness.close()
    assert stored == RunLog(
        worker_id="w1",
        run="1-1",
        source="backup-1",
        repairs=repairs,
        began_at_ms=harness.now_ms() - 500,
        ended_at_ms=harness.now_ms(),
        ending="the encoder ended with status 1: srt://h:1?***",
        lines=("opening https://h/x?***", "*** is wrong", "y" * stored_logs.LINE_CHARS_MAX),
        source_lines=tuple("x" * n for n in range(LINES_KEPT)),
        notes=(note, "n" * stored_logs.NOTE_CHARS_MAX),
    )


def test_a_source_that_was_never_opened_has_its_reason_stored(harness: Harness) -> None:
    harness.logs.add_unopened("primary", BAD_ADDRESS, deque())
    assert eventually(harness.runs)
    began_at_ms = harness.now_ms()
    harness.clock.advance(1)
    lines = deque(["the-ingest-key is wrong"])
    harness.logs.add_unopened("primary", BAD_ADDRESS, lines)
    harness.logs.add_unopened("backup-1", "waiting", deque())
    assert eventually(lambda: len(harness.runs()) == 2)
    lines.append("and wrong again")
    later, first = harness.close()
    assert (first.run, first.source, first.began_at_ms) == (None, "primary", began_at_ms)
    assert (first.ending, first.source_lines) == ("no address: srt://h:1?***", ("*** is wrong", "and wrong again"))
    assert (later.run, later.source, later.ending) == (None, "backup-1", "waiting")


def test_an_opening_lasts_until_its_run_begins_and_the_next_one_is_another(harness: Harness) -> None:
    harness.logs.add_unopened("primary", "waiting", deque())
    assert eventually(harness.runs)
    (first,) = harness.runs()
    assert (first.ending, first.ended_at_ms) == ("waiting", None)
    harness.clock.advance(1_000)
    run = harness.run()
    assert eventually(lambda: len(harness.runs()) == 2)
    assert harness.runs()[1] == replace(first, ended_at_ms=harness.now_ms())
    harness.clock.advance(1_000)
    run.close("gone")
    harness.logs.add_unopened("primary", "waiting", deque())
    later, _ = harness.close()
    assert (later.run, later.began_at_ms, later.ended_at_ms) == (None, harness.now_ms(), None)


def test_what_a_running_encoder_says_is_stored_now_and_then(harness: Harness, monkeypatch) -> None:
    monkeypatch.setattr(run_logs, "INTERVAL_S", 0.05)
    puts: list[str] = []
    harness.media.before = lambda operation, key: puts.append(operation) if operation == "put" else None
    harness.logs._wake.set()
    harness.run("one")
    assert eventually(lambda: [run.lines for run in harness.runs()] == [("one",)])
    harness.said.append("two")
    assert eventually(lambda: [run.lines for run in harness.runs()] == [("one", "two")])
    time.sleep(0.3)
    harness.close()
    assert len(puts) == 2, "nothing new, nothing written"


def test_the_next_worker_keeps_the_runs_of_the_last_one(harness: Harness) -> None:
    harness.run("first").close("killed")
    harness.close()
    other = Harness("w2", harness.stored)
    other.clock.advance(1_000)
    # Another worker writes between this one's reading and its writing.
    theirs = replace(RUN, worker_id="w9", began_at_ms=other.now_ms() + 1)

    def meanwhile(operation: str, key: str) -> None:
        if operation == "put":
            other.media.before = lambda operation, key: None
            harness.stored.put(KEY, encode([theirs, *harness.runs()]), "application/json")

    other.media.before = meanwhile
    other.logs.start()
    names = [f"2-{number}" for number in range(stored_logs.RUNS_KEPT - 2)]
    for name in names:
        other.run(name=name).close("killed")
    kept = {(run.worker_id, run.run) for run in other.close()}
    assert kept == {("w1", "1-1"), ("w9", "1-1"), *(("w2", name) for name in names)}


@pytest.mark.parametrize("error", [StoreUnavailable("no answer"), EtagMismatch("again"), RuntimeError("a mistake")])
def test_a_store_that_fails_affects_no_stream_and_is_tried_again(harness: Harness, error: Exception) -> None:
    failed = threading.Event()

    def fail(operation: str, key: str) -> None:
        if not failed.is_set() and operation == "put":
            failed.set()
            harness.media.before = lambda operation, key: None
            raise error

    harness.media.before = fail
    harness.run().close("killed")
    assert failed.wait(5)
    assert len(harness.close()) == 1 and not harness.logs.is_alive()


def test_without_a_claim_nothing_is_written_and_closing_waits_no_longer_than_it_may(harness: Harness) -> None:
    harness.held_claim.give_up()
    harness.run().close("killed")
    assert harness.close() == ()
    harness, release = Harness(), threading.Event()
    harness.logs.start()
    harness.media.before = lambda operation, key: release.wait(10) and None
    harness.run().close("killed")
    began_s = time.monotonic()
    harness.logs.close(0.2)
    assert time.monotonic() - began_s < 2
    release.set()
    harness.logs.join(5)
