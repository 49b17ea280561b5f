"""Make one run: `python -m worker.transcoding PLAN`, with messages of `worker.media.messages` on the standard input.

Once a second it prints a line of JSON: how much is made, and what was repaired.
"""

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress

from worker.media.libav import set_up_program
from worker.media.messages import Kind, MessageReader, decode_packet
from worker.processes.module_process import print_error
from worker.transcoding.copying_run import CopyingRun
from worker.transcoding.encoding_run import EncodingRun, SourceFrozen
from worker.transcoding.generator import generate
from worker.transcoding.movement import MovementDetector, SourceMoved
from worker.transcoding.plan import EXIT_FROZEN, TranscodePlan, Work
from worker.transcoding.repairs import RunRepairs
from worker.transcoding.reporter import Reporter

CHUNK_BYTES = 1 << 18
WAIT_MS = 50


def follow(run: CopyingRun | EncodingRun | MovementDetector, reporter: Reporter | None, repairs: RunRepairs) -> None:
    """Feed a run until its source ends. After a signal, the rest of the source is still made."""
    source = sys.stdin.fileno()
    reader, ready = MessageReader(), select.poll()
    ready.register(source, select.POLLIN)
    while True:
        data = os.read(source, CHUNK_BYTES) if ready.poll(WAIT_MS) else None
        if data == b"":
            return
        now_s = time.monotonic()
        for kind, body, _ in reader.feed(data or b""):
            if kind is Kind.TRACKS:
                run.tracks(json.loads(body))
            elif kind is Kind.PACKET:
                run.packet(decode_packet(body), now_s)
                run.advance(now_s)
            else:
                repairs.timestamp_jumps += 1
                repairs.note("jump", "the source's time stamps jumped: they were corrected")
        run.advance(now_s)
        if reporter:
            reporter.report(run.out_us, run.source_us, size=run.size)


def main() -> int:
    """Make the run and return the exit status."""
    set_up_program("encoder")
    plan, repairs = TranscodePlan.from_json(sys.argv[1]), RunRepairs()
    reporter = Reporter(repairs)
    # A signal asks the process to finish.
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    if plan.work is Work.WATCH:
        return watch()
    if plan.work in (Work.PATTERN, Work.SLATE):
        generate(plan, reporter.report, lambda: bool(signals))
        return 0
    run: CopyingRun | EncodingRun
    if plan.work is Work.COPY:
        run = CopyingRun(plan, repairs)
    else:
        run = EncodingRun(plan, repairs)
        reporter.activity = run.activity
    try:
        follow(run, reporter, repairs)
    except SourceFrozen as frozen:
        print_error(frozen)
        return EXIT_FROZEN
    run.close()
    reporter.report(run.out_us, run.source_us, size=run.size, at_once=True)
    return 0


def watch() -> int:
    """Return 0 once the source moves, or ends."""
    repairs = RunRepairs()
    with suppress(SourceMoved):
        follow(MovementDetector(repairs), None, repairs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
