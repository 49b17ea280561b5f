"""Every change of a saved statement is found, and the line is named. Both formats."""

import copy
import csv
import io
import json
import re

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from player.cli import main
from player.statement.csv_format import read_csv
from player.statement.json_format import read_json
from player.statement.reader import read_statement
from player.statement.statement import MalformedError
from player.statement.verification import MismatchError, verify
from tests.unit.player.statement_oracle import COLUMNS, as_csv, statement_of

NOTES = (None, 'gift, "from" Zoë', "two\nlines", "夜 🎁", "=1+1")


def entry(version):
    paid = version % 4 == 1
    return {
        "version": version, "at_ms": 1_790_000_000_000 + 7_919 * version, "kind": "credit" if paid else "lease",
        "entry_id": f"p.gift-{version}" if paid else f"s-1.{version}", "delta_millipoints": 40_000 if paid else -10_000,
        "session_id": None if paid else "s-1", "stream_id": None if paid else "stream-1",
        "seq": None if paid else version, "payment_id": f"gift-{version}" if paid else None,
        "note": NOTES[version % len(NOTES)] if paid else None,
    }  # fmt: skip


LEDGER = [entry(version) for version in range(1, 14)]
DOCUMENT = statement_of(LEDGER)
CSV = as_csv(DOCUMENT)
ROWS = list(csv.reader(io.StringIO(CSV, newline="")))
ROW_STARTS = [1 + sum(len(re.findall("\n", "".join(row))) + 1 for row in ROWS[:index]) for index in range(len(ROWS))]
LINES = range(len(LEDGER))


def check_json(document):
    return verify(read_json(json.dumps(document)))


def check_csv(rows):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return verify(read_csv(out.getvalue()))


def failure(check, changed):
    with pytest.raises((MismatchError, MalformedError)) as caught:
        check(changed)
    return str(caught.value)


def changed_char(text, position, char):
    """Return the text with another character at a position; an empty text becomes the character."""
    position %= max(1, len(text))
    other = char if char != text[position : position + 1] else chr(ord(char) + 1)
    return text[:position] + other + text[position + 1 :]


def test_a_statement_with_settlements_debt_and_reversals_is_valid():
    kinds = {"served_ahead": -8_000, "unserved_credit": 12_000, "debt_payment": -3_000, "reversal": -40_000}
    more = [
        {**entry(2), "version": 13 + number, "kind": kind, "delta_millipoints": delta, "seq": None}
        for number, (kind, delta) in enumerate(kinds.items(), 1)
    ]
    document = statement_of([*LEDGER, *more])
    for verified in (check_json(document), verify(read_csv(as_csv(document)))):
        assert (verified.lines, verified.end.balance_millipoints) == (17, 160_000 - 90_000 + sum(kinds.values()))


def test_a_good_statement_and_a_later_part_are_valid_in_both_formats():
    for verified in (check_json(DOCUMENT), verify(read_csv(CSV))):
        assert (verified.opening.version, verified.end.version, verified.lines) == (0, 13, 13)
        assert verified.end.hash == DOCUMENT["closing"]["hash"]
        assert verified.first_at_ms == LEDGER[0]["at_ms"] and verified.last_at_ms == LEDGER[-1]["at_ms"]
    for after in (6, 13):
        part = statement_of(LEDGER, after)
        for verified in (check_json(part), verify(read_csv(as_csv(part)))):
            assert (verified.opening.version, verified.lines) == (after, 13 - after)


def with_line(index, **fields):
    document = copy.deepcopy(DOCUMENT)
    document["lines"][index].update(fields)
    return document


def with_lines(lines):
    """Return the statement and the rows of its CSV with the lines of these indexes."""
    rows = [*ROWS[:2], *(ROWS[index + 2] for index in lines)]
    return {**DOCUMENT, "lines": [DOCUMENT["lines"][index] for index in lines]}, rows


places = st.integers(0, len(LEDGER) - 1)
chars = st.characters(min_codepoint=32, max_codepoint=0x1F600, exclude_categories=["Cs"])
SOME = st.one_of(st.sampled_from("0123456789-"), chars)


@given(places, st.sampled_from(sorted(DOCUMENT["lines"][0])), st.integers(0, 70), SOME)
@example(12, "hash", 0, "x")
def test_one_changed_character_in_a_json_line_is_found(index, field, position, char):
    value = DOCUMENT["lines"][index][field]
    text = changed_char("" if value is None else str(value), position, char)
    is_number = isinstance(value, int) and re.fullmatch("-?[0-9]+", text)
    document = with_line(index, **{field: int(text) if is_number else text})
    if document != DOCUMENT:  # such as -0 for 0
        assert f"line {index + 1} (index {index})" in failure(check_json, document)


@given(places, st.sampled_from(COLUMNS), st.integers(0, 70), st.one_of(st.sampled_from('0123456789-"\n,'), chars))
@example(12, "hash", 0, "x")
@example(1, "session_id", 0, "S")
def test_one_changed_character_in_a_csv_line_is_found(index, field, position, char):
    rows, column = copy.deepcopy(ROWS), COLUMNS.index(field)
    rows[index + 2][column] = changed_char(rows[index + 2][column], position, char)
    assert re.match(rf"line {ROW_STARTS[index + 2]}: ", failure(check_csv, rows))


@given(st.integers(0, len(CSV) - 1), st.one_of(st.sampled_from('0123456789-"\r\n,'), chars))
@example(len(CSV) - 2, "\n")
@example(len(CSV) - 1, "\x0b")
def test_every_changed_character_of_a_csv_file_is_found(position, char):
    changed = changed_char(CSV, position, char)
    if changed.rstrip("\r\n") != CSV.rstrip("\r\n"):  # an empty line at the end, as editors add
        failure(lambda text: verify(read_csv(text)), changed)


@given(st.integers(0, len(json.dumps(DOCUMENT)) - 1), st.one_of(st.sampled_from('0123456789-"{}[],:\\'), chars))
def test_every_changed_character_of_a_json_file_is_found_or_has_no_meaning(position, char):
    text = changed_char(json.dumps(DOCUMENT), position, char)
    try:
        verify(read_json(text))
    except (MismatchError, MalformedError):
        return
    assert {**json.loads(text), "created_at_ms": 0} == {**DOCUMENT, "created_at_ms": 0}


@pytest.mark.parametrize("index", LINES)
def test_a_swapped_dropped_or_repeated_line_is_found(index):
    for later in LINES[index + 1 :]:
        document, rows = with_lines([{index: later, later: index}.get(each, each) for each in LINES])
        assert f"(index {index})" in failure(check_json, document)
        assert f"line {ROW_STARTS[index + 2]}: version" in failure(check_csv, rows)
    document, rows = with_lines([each for each in LINES if each != index])
    message = failure(check_json, document)
    if index == LINES[-1]:  # only the server knows the end of a CSV
        assert message.startswith("closing: version")
    else:
        assert message.startswith(f"line {index + 1} (index {index})") and "A line is missing" in message
        assert f"line {ROW_STARTS[index + 2]}: version" in failure(check_csv, rows)
    document, rows = with_lines([*LINES[: index + 1], *LINES[index:]])
    message = failure(check_json, document)
    assert f"(index {index + 1})" in message and "repeated" in message and "version" in failure(check_csv, rows)


def test_the_changed_field_is_named_if_the_other_fields_reveal_it():
    expected = {("delta_millipoints", -1): r"delta_millipoints does not fit.*expected: -10000.*found: +-1$"}
    expected |= {("balance_millipoints", 5): r"balance_millipoints does not fit.*expected: 30000.*found: +5$"}
    expected |= {("version", 9): r"version does not fit\.\n.*expected: 2.*found: +9$"}
    expected |= {("hash", "0" * 64): r"hash does not fit\.\n"}
    expected |= {("note", "x"): r"hash does not fit\. It belongs to other contents"}
    for (field, value), message in expected.items():
        assert re.search(message, failure(check_json, with_line(1, **{field: value})), re.DOTALL)
    for field, value in (("at_ms", "1790000015839"), ("at", "2026-09-21T13:33:35.838+01:00")):
        rows = copy.deepcopy(ROWS)
        rows[3][COLUMNS.index(field)] = value
        assert f"{field} does not fit" in failure(check_csv, rows)


@pytest.mark.parametrize("field", ["version", "balance_millipoints", "hash"])
@pytest.mark.parametrize("state", ["opening", "closing"])
def test_opening_and_closing_are_checked(state, field):
    value = DOCUMENT[state][field]
    changed = {**DOCUMENT[state], field: value + 1 if isinstance(value, int) else "0" * 64}
    message = failure(check_json, {**DOCUMENT, state: changed, "next_after_version": None})
    assert message.startswith(f"{state}: {field}") or "line 1 " in message


def test_another_users_ledger_and_a_negative_balance_in_a_valid_chain_are_found():
    assert "opening: hash" in failure(check_json, {**DOCUMENT, "user_id": "u-other"})
    ledger = [{**each, "delta_millipoints": -50_000} if each["version"] == 4 else each for each in LEDGER]
    assert "0 or more" in failure(check_json, statement_of(ledger))


LINE = DOCUMENT["lines"][0]


def document(**fields):
    return json.dumps({**DOCUMENT, **fields})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *(("", "it is empty"), ("hello", "not a Tollcast statement"), ("{", "it is not JSON")),
        *(("[]", "not a Tollcast statement"), ('{"format": "tollcast-statement-2"}', "not a Tollcast statement")),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({k: v for k, v in DOCUMENT.items() if k != "closing"}), "closing is missing"),
        *((document(extra=1), "extra is no field"), (document(lines={}), "lines must be a list")),
        (document(opening=[]), "opening must be an object"),
        (document(closing={**DOCUMENT["closing"], "version": True}), "closing must hold"),
        (document(next_after_version=2), "next_after_version"),
        (document(lines=[1]), "line 1 (index 0): it must be an object"),
        (document(lines=[{**LINE, "seq": "1"}]), "seq must be a whole number or none"),
        (document(lines=[{**LINE, "at_ms": 10**17}]), "at_ms must be a time"),
        (document(lines=[{**LINE, "delta_millipoints": 1.0}]), "1.0 is not a whole number"),
        (document().replace("-10000", "1" * 5000), "is not a whole number"),
        (document().replace('"seq": 2,', '"seq": 2, "seq": 2,'), "(version 2) has the key seq twice"),
        (document().replace('"seq": 2,', '"seq": NaN,'), "NaN"),
        (CSV.splitlines(keepends=True)[0], "row of the opening is missing"),
        (CSV.replace("opening", "lease", 1), "line 2: kind must be opening"),
        (CSV.replace("version,at", "version;at", 1), "not a Tollcast statement"),
        (CSV + "1,2\r\n", "it must have 13 columns, and has 2"),
        (CSV.replace("-10000", "-10000.0", 1), "delta_millipoints must be a whole number"),
        (CSV.replace("-10000", "-١0000", 1), "delta_millipoints must be a whole number"),
        *((CSV + '"', "it is not CSV"), (CSV + "x" * 20_000, "it is not CSV: field larger")),
    ],
)
def test_a_malformed_file_is_reported(tmp_path, text, message):
    file = tmp_path / "statement"
    file.write_bytes(text.encode())
    with pytest.raises(MalformedError) as caught:
        verify(read_statement(file))
    assert message in str(caught.value)


def test_the_command_names_the_file_that_is_no_statement(tmp_path):
    file = tmp_path / "statement"
    file.write_text("no statement")
    for path in (file, tmp_path, tmp_path / "missing"):
        result = CliRunner().invoke(main, ["verify", str(path)])
        assert result.exit_code == 1 and f"Error: {path}: it " in result.output


def test_a_file_that_is_not_text_or_too_large_is_reported(tmp_path, monkeypatch):
    file = tmp_path / "statement"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedError, match="not UTF-8"):
        read_statement(file)
    monkeypatch.setattr("player.statement.reader.BYTES_MAX", 1)
    with pytest.raises(MalformedError, match="larger than"):
        read_statement(file)
    for module, read, text in (("json", read_json, document()), ("csv", read_csv, CSV)):
        monkeypatch.setattr(f"player.statement.{module}_format.LINES_MAX", 12)
        with pytest.raises(MalformedError, match="more lines"):
            verify(read(text))
