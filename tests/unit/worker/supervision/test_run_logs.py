"""What the encoder says is kept where operators can read it, and never at the stream's cost."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from chalicelib.domain.media_health import Repairs
from chalicelib.domain.run_logs import (
    LINE_CHARS_MAX,
    LINES_KEPT,
    NOTE_CHARS_MAX,
    RUNS_KEPT,
    RunLog,
    decoded,
    encoded,
    newest,
    run_log_key,
)
from chalicelib.ports import EtagMismatch, StoreUnavailable
from tests.fakes.media import FaultyMedia, MemoryMedia
from tests.fakes.runtimes import MemoryRuntimes
from tests.fakes.simple import SetClock
from worker import claims
from worker.encoding.transcoder import Progress, Transcoder
from worker.supervision import run_logs
from worker.supervision.run_logs import RunLogs

KEY = run_log_key("stream-1")
RUN = RunLog(worker_id="w1", run="1-1", source="primary", began_at_ms=1, ended_at_ms=9, ending="x", lines=("a", "b"))


def saying(*lines: str, progress: Progress | None = None, notes: tuple[str, ...] = ()) -> Transcoder:
    """Return what is read of a run."""
    run = SimpleNamespace(lines=deque(lines), progress=progress or Progress(), notes=deque(notes))
    return cast(Transcoder, run)


class House:
    """The logs of one claim, over a store in memory that fails as it is told."""

    def __init__(self, worker_id: str = "w1", media: MemoryMedia | None = None) -> None:
        self.stored, self.clock = media or MemoryMedia(), SetClock()
        self.media = FaultyMedia(self.stored)
        held_claim = claims.claim_stream(MemoryRuntimes(), self.clock, "stream-1", worker_id)
        assert held_claim
        self.held_claim = held_claim
        self.logs = RunLogs(self.media, self.clock, held_claim, lambda: ("the-ingest-key",))

    def told(self) -> tuple[RunLog, ...]:
        found = self.stored.get(KEY)
        return decoded(found.body) if found else ()


@pytest.fixture
def house() -> House:
    return House()


def eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_what_is_stored_is_read_back_and_foreign_bytes_are_nothing() -> None:
    repaired = replace(RUN, repairs=Repairs(silence_ms=40, drift_ppm=-300), notes=("made 40 ms of silence", "x"))
    assert decoded(encoded([RUN, repaired])) == (RUN, repaired)
    assert decoded(encoded([RUN]).replace(b'"run"', b'"new":1,"run"')) == (RUN,)
    # As an older version has stored it, and a newer one.
    assert decoded(encoded([RUN]).replace(b',"repairs":null,"notes":[]', b"")) == (RUN,)
    assert decoded(encoded([repaired]).replace(b'"silence_ms"', b'"new":1,"silence_ms"')) == (repaired,)
    for body in (b"", b"[]", b"null", b'{"runs": 3}', b'{"runs": [{}]}', b"\xff"):
        assert decoded(body) == ()


def test_the_newest_runs_are_kept_and_the_later_word_on_a_run_counts() -> None:
    runs = [replace(RUN, run=f"1-{n}", began_at_ms=n) for n in range(8)]
    kept = newest([replace(runs[7], ending=None), *runs])
    assert [run.began_at_ms for run in kept] == [7, 6, 5, 4, 3]
    assert kept[0].ending == "x"


def test_a_run_is_stored_when_it_ends_without_its_secrets(house: House) -> None:
    house.logs.start()
    said = saying("opening https://h/x?token=1", "the-ingest-key is wrong", "y" * 2_000)
    run = house.logs.add_run("1-1", "backup-1", said, deque())
    house.clock.advance(500)
    run.close("the encoder ended with status 1: srt://h:1?passphrase=0123456789")
    assert eventually(house.told)
    house.logs.close(5)
    now_ms = house.clock.now_ms()
    assert house.told() == (
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


def test_what_the_receiver_of_a_source_says_stands_beside_it(house: House) -> None:
    house.logs.start()
    received = deque(["the-ingest-key is wrong", *("x" * n for n in range(LINES_KEPT))])
    house.logs.add_run("1-1", "primary", saying("encoded"), received).close("killed")
    house.logs.close(5)
    (run,) = house.told()
    assert run.lines == ("encoded",)
    assert len(run.source_lines) == LINES_KEPT and run.source_lines[-1] == "x" * (LINES_KEPT - 1)


def test_what_a_run_repairs_is_stored_with_it(house: House) -> None:
    house.logs.start()
    repairs = Repairs(silence_ms=40, pictures_dropped=2)
    run = saying(progress=Progress(repairs=repairs), notes=("40 ms of sound are missing", "n" * 2_000))
    house.logs.add_run("1-1", "primary", run, deque()).close("killed")
    house.logs.close(5)
    (stored,) = house.told()
    assert stored.repairs == repairs
    assert stored.notes == ("40 ms of sound are missing", "n" * NOTE_CHARS_MAX)


def test_a_source_that_was_never_opened_tells_why(house: House) -> None:
    house.logs.start()
    house.logs.add_unopened("primary", "no address: srt://h:1?passphrase=0123456789", deque())
    assert eventually(house.told)
    began_at_ms = house.clock.now_ms()
    house.clock.advance(1)
    lines = deque(["the-ingest-key is wrong"])
    house.logs.add_unopened("primary", "no address: srt://h:1?passphrase=0123456789", lines)
    house.logs.add_unopened("backup-1", "waiting", deque())
    assert eventually(lambda: len(house.told()) == 2)
    lines.append("and wrong again")
    house.logs.close(5)
    later, first = house.told()
    assert (first.run, first.source, first.began_at_ms) == (None, "primary", began_at_ms)
    assert first.ending == "no address: srt://h:1?***"
    assert first.source_lines == ("*** is wrong", "and wrong again")
    assert (later.run, later.source, later.ending) == (None, "backup-1", "waiting")


def test_an_opening_lasts_until_its_run_begins_and_the_next_one_is_another(house: House) -> None:
    house.logs.start()
    house.logs.add_unopened("primary", "waiting", deque())
    assert eventually(house.told)
    (first,) = house.told()
    assert (first.ending, first.ended_at_ms) == ("waiting", None)
    house.clock.advance(1_000)
    run = house.logs.add_run("1-1", "primary", saying(), deque())
    assert eventually(lambda: len(house.told()) == 2)
    assert house.told()[1] == replace(first, ended_at_ms=house.clock.now_ms())
    house.clock.advance(1_000)
    run.close("gone")
    house.logs.add_unopened("primary", "waiting", deque())
    house.logs.close(5)
    later, _ = house.told()
    assert (later.run, later.began_at_ms, later.ended_at_ms) == (None, house.clock.now_ms(), None)


def test_a_source_has_one_opening_which_takes_no_runs_place() -> None:
    runs = [replace(RUN, run=f"1-{n}", began_at_ms=n) for n in range(8)]
    add_unopened = [replace(RUN, run=None, worker_id=f"w{n}", began_at_ms=n) for n in range(20)]
    kept = newest([*add_unopened, *runs, replace(add_unopened[0], source="backup-1")])
    assert [(log.run, log.began_at_ms) for log in kept] == [
        (None, 19),
        *((f"1-{n}", n) for n in (7, 6, 5, 4, 3)),
        (None, 0),
    ]
    assert decoded(encoded(kept)) == kept


def test_what_a_running_encoder_says_is_stored_now_and_then(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_logs, "INTERVAL_S", 0.05)
    monkeypatch.setattr(run_logs, "ENDED_INTERVAL_S", 0.01)
    puts: list[str] = []
    house.media.before = lambda operation, key: puts.append(operation) if operation == "put" else None
    house.logs.start()
    run = saying("one")
    house.logs.add_run("1-1", "primary", run, deque())
    assert eventually(lambda: [run.lines for run in house.told()] == [("one",)])
    run.lines.append("two")
    assert eventually(lambda: [run.lines for run in house.told()] == [("one", "two")])
    time.sleep(0.3)
    house.logs.close(5)
    assert len(puts) == 2, "nothing new, nothing written"


def test_the_next_worker_keeps_the_runs_of_the_last_one(house: House) -> None:
    house.logs.start()
    house.logs.add_run("1-1", "primary", saying("first"), deque()).close("killed")
    house.logs.close(5)
    other = House("w2", house.stored)
    other.clock.advance(1_000)
    # Another worker writes between this one's reading and its writing.
    theirs = replace(RUN, worker_id="w9", began_at_ms=other.clock.now_ms() + 1)

    def meanwhile(operation: str, key: str) -> None:
        if operation == "put":
            other.media.before = lambda operation, key: None
            house.stored.put(KEY, encoded([theirs, *house.told()]), "application/json")

    other.media.before = meanwhile
    other.logs.start()
    for number in range(RUNS_KEPT - 2):
        other.logs.add_run(f"2-{number}", "primary", saying(), deque()).close("killed")
    other.logs.close(5)
    kept = {(run.worker_id, run.run) for run in other.told()}
    assert kept == {("w1", "1-1"), ("w9", "1-1"), *(("w2", f"2-{number}") for number in range(RUNS_KEPT - 2))}


@pytest.mark.parametrize("error", [StoreUnavailable("no answer"), EtagMismatch("again"), RuntimeError("a mistake")])
def test_a_store_that_fails_hurts_nobody_and_is_tried_again(house: House, error: Exception) -> None:
    failed = threading.Event()

    def fail(operation: str, key: str) -> None:
        if not failed.is_set() and operation == "put":
            failed.set()
            house.media.before = lambda operation, key: None
            raise error

    house.media.before = fail
    house.logs.start()
    house.logs.add_run("1-1", "primary", saying(), deque()).close("killed")
    assert failed.wait(5)
    house.logs.close(5)
    assert not house.logs.is_alive()
    assert len(house.told()) == 1


def test_without_a_claim_nothing_is_written(house: House) -> None:
    house.held_claim.give_up()
    house.logs.start()
    house.logs.add_run("1-1", "primary", saying(), deque()).close("killed")
    house.logs.close(5)
    assert house.told() == ()


def test_closing_waits_no_longer_than_it_may(house: House) -> None:
    release = threading.Event()
    house.media.before = lambda operation, key: release.wait(10) and None
    house.logs.start()
    house.logs.add_run("1-1", "primary", saying(), deque()).close("killed")
    began_s = time.monotonic()
    house.logs.close(0.2)
    assert time.monotonic() - began_s < 2
    release.set()
    house.logs.join(5)
