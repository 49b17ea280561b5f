"""Watch a platform as a synthetic viewer: `python -m canary --server URL --credentials FILE`.

Each run logs in, starts a session, fetches playlist and segment, pays, is kicked, and checks its bill. Its steps are
printed, and reported to the platform, which exports them as metrics. The status is 0 if all steps worked, else 1.
With `--every-s`, runs follow each other until a signal ends the process.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from canary.credentials import Credentials, CredentialsError, read_credentials
from canary.run import Run, StepResult
from canary.time_limit import within
from chalicelib.domain.operations.canary import STEP_MS_MAX
from player.context import checked_server
from player.errors import CliError
from player.http.client import Http
from player.terminal.text import printable

EVERY_S_MIN, EVERY_S_MAX = 30.0, 3_600.0
FAILURE_CHARS_MAX = 200
REPORT_S_MAX = 20.0
RUNBOOK = "docs/operations.md#alarm-canaryfailed"
MS_PER_S = 1_000


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m canary", description="Watch a platform as a synthetic viewer.")
    parser.add_argument(
        "--server", metavar="URL", type=_server, required=True, help="the platform's address, as viewers use it"
    )
    parser.add_argument("--credentials", metavar="FILE", type=Path, required=True, help="made by add_canary")
    parser.add_argument("--stream", metavar="ID", help="the stream to watch (default: the first live one with a price)")
    parser.add_argument(
        "--every-s", metavar="SECONDS", type=_interval, help="repeat, 30 to 3600 s after the last start"
    )
    options = parser.parse_args()
    while True:
        began = time.monotonic()
        try:
            # Each time, since `add_canary` may have replaced them.
            credentials = read_credentials(options.credentials)
        except CredentialsError as error:
            print(error, file=sys.stderr)
            return 1
        worked = run_once(options.server, credentials, options.stream)
        if options.every_s is None:
            return 0 if worked else 1
        time.sleep(max(0.0, began + options.every_s - time.monotonic()))


def run_once(server: str, credentials: Credentials, stream_id: str | None) -> bool:
    """Do a run, print its steps, and report it. Return whether all worked and the report was stored."""
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {server}", flush=True)
    results: list[StepResult] = []
    began = time.monotonic()
    for result in Run(server, credentials, stream_id).steps():
        results.append(result)
        state = "FAILED" if result.failure else "ok"
        print(f"  {result.step:<9} {state:<6} {result.ms:>6} ms  {result.failure}".rstrip(), flush=True)
    failed = results[-1].failure
    is_reported = _report(server, credentials, results)
    if failed:
        print(f"The canary failed at the step {results[-1].step}. What to do: {RUNBOOK}", flush=True)
    else:
        print(f"All {len(results)} steps worked, in {time.monotonic() - began:.1f} s.", flush=True)
    return is_reported and not failed


def _report(server: str, credentials: Credentials, results: Sequence[StepResult]) -> bool:
    body: dict[str, object] = {"steps_ms": [min(each.ms, STEP_MS_MAX) for each in results]}
    if failure := results[-1].failure:
        body["failure"] = printable(failure)[:FAILURE_CHARS_MAX].strip() or "unknown"
    http = Http(server)
    try:
        within(REPORT_S_MAX, lambda: http.request("POST", "/monitoring/canary", body, credentials.service_key))
    except CliError as error:
        print(f"The run could not be reported: {error.message}", file=sys.stderr, flush=True)
        return False
    finally:
        http.close()
    return True


def _server(text: str) -> str:
    try:
        return checked_server(text)
    except click.UsageError as error:
        raise argparse.ArgumentTypeError(error.message) from None


def _interval(text: str) -> float:
    seconds = float(text)
    if not EVERY_S_MIN <= seconds <= EVERY_S_MAX:
        raise argparse.ArgumentTypeError(f"must be from {EVERY_S_MIN:.0f} to {EVERY_S_MAX:.0f} seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
