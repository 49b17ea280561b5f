"""Fetching a statement part by part, and saving it atomically."""

import io
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from player.auth.account import Account
from player.errors import CliError, UnreachableError
from player.exit_status import ExitStatus
from player.files import write_private
from player.statement.csv_format import read_csv
from player.statement.json_format import statement_from
from player.statement.statement import BYTES_MAX, LINES_MAX, MalformedError, State

PART_TIMEOUT_S = 30.0
OWN_LEDGER = "/me/ledger/export"
# With room for the text before and after the lines.
TEXT_BYTES_MAX = BYTES_MAX - 1_000_000


@dataclass(frozen=True)
class Part:
    """A part of a statement: the text of its lines, and the text before and after them in a file."""

    opening: State
    end: State
    lines: int
    head: str
    text: str
    foot: str


@dataclass(frozen=True)
class Export:
    """A statement to save. `is_partial` if the rest does not fit into the file."""

    text: str
    lines: int
    opening: State
    end: State
    is_partial: bool


def fetch(account: Account, form: str, after_version: int = 0, path: str = OWN_LEDGER) -> Export:
    """Fetch all parts of a statement, as `json` or `csv`. Raise CliError."""
    parts = [_part(account, path, form, after_version)]
    size, lines, is_partial = len(parts[0].text.encode()), parts[0].lines, False
    while parts[-1].lines:
        part = _part(account, path, form, parts[-1].end.version)
        if part.opening != parts[-1].end:
            raise UnreachableError(
                "this address", f"parts of the ledger do not match at version {part.opening.version}"
            )
        size, lines = size + len(part.text.encode()), lines + part.lines
        is_partial = size > TEXT_BYTES_MAX or lines > LINES_MAX
        if is_partial:
            lines -= part.lines
            break
        parts.append(part)
    separator = ",\n" if form == "json" else ""
    text = parts[0].head + separator.join(part.text for part in parts if part.text) + parts[-1].foot
    return Export(text, lines, parts[0].opening, parts[-1].end, is_partial)


def save(path: Path, text: str, replace: bool) -> None:
    """Write a file atomically: after a failure the old file, if any, is unchanged. Raise CliError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write_private(draft, text)
        if replace:
            draft.replace(path)
        else:
            _link(draft, path)
    except FileExistsError:
        raise already_exists(path) from None
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}.", "", ExitStatus.FAILED) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    """Move a draft to its path. Unlike a rename, a link never replaces another file."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError from None
        draft.replace(path)


def already_exists(path: Path) -> CliError:
    """Return the error for a file that exists."""
    return CliError(f"{path} already exists.", "Choose another name, or replace it with --force.", ExitStatus.FAILED)


def _part(account: Account, path: str, form: str, after_version: int) -> Part:
    address = f"{path}?format={form}&after_version={after_version}"
    try:
        return (_json_part if form == "json" else _csv_part)(account, address)
    except MalformedError as error:
        raise UnreachableError("this address", f"its answer is not a statement ({error})") from None


def _json_part(account: Account, address: str) -> Part:
    document = account.call("GET", address, timeout_s=PART_TIMEOUT_S)
    statement = statement_from(document)
    assert statement.closing is not None
    lines = [json.dumps(line.fields) for line in statement.lines]
    before = {name: document[name] for name in ("format", "user_id", "created_at_ms", "opening")}
    after = {"closing": document["closing"], "next_after_version": None}
    head = json.dumps(before)[:-1] + ', "lines": [\n'
    foot = "\n], " + json.dumps(after)[1:] + "\n"
    return Part(statement.opening, statement.closing, len(lines), head, ",\n".join(lines), foot)


def _csv_part(account: Account, address: str) -> Part:
    text = account.csv(address, PART_TIMEOUT_S)
    statement = read_csv(text)
    count, end = 0, statement.opening
    for line in statement.lines:
        count += 1
        end = State(line.fields["version"], line.fields["balance_millipoints"], line.fields["hash"])
    rows = io.StringIO(text, newline="")
    head = rows.readline() + rows.readline()  # the header and the opening; neither contains a line break
    return Part(statement.opening, end, count, head, rows.read(), "")
