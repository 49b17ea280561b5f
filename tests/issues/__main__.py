"""Show when each ingest issue opens and closes: `python -m tests.issues [NAME ...]`.

A line for each issue of an input that ffmpeg makes: the fault, how long after its begin the issue opens, and how long
after its end it closes. Times are those of the media. Ordinary inputs have to open none.
"""

import sys
import tempfile
from pathlib import Path

from tests.issues.healthy import HEALTHY
from tests.issues.inputs import INPUTS
from tests.issues.media_time import MediaTry

BY_NAME = {each.name: each for each in (*INPUTS, *HEALTHY)}


def main(names: list[str]) -> int:
    """Try the inputs; return 1 if an issue did not open or close, or an ordinary input opened one."""
    print(f"{'input':<20} {'issue':<22} {'opened after':>12} {'closed after':>12}   actual", flush=True)
    is_wrong = False
    for item in [BY_NAME[name] for name in names] or BY_NAME.values():
        with tempfile.TemporaryDirectory() as directory:
            spans = MediaTry(item, Path(directory)).run()
        for issue_type, (from_s, until_s) in item.issues.items():
            span = spans.get(issue_type)
            opened = "never" if span is None else f"{span.opened_s - from_s:.0f} s"
            closed = "never" if span is None or span.closed_s is None else f"{span.closed_s - until_s:.0f} s"
            is_wrong |= "never" in (opened, closed)
            actual = span.issue.actual if span and span.issue else ""
            print(f"{item.name:<20} {issue_type:<22} {opened:>12} {closed:>12}   {actual}", flush=True)
        if not item.issues:
            is_wrong |= bool(spans)
            print(f"{item.name:<20} {'none' if not spans else 'WRONG':<22}", flush=True)
        for other in spans.keys() - item.issues.keys():
            print(f"{'':<20} {other:<22} beside it, at {spans[other].opened_s:.0f} s", flush=True)
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
