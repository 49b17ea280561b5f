"""Reading a saved statement of either format from a file."""

from pathlib import Path

from player.statement.csv_format import read_csv
from player.statement.json_format import read_json
from player.statement.statement import BYTES_MAX, MalformedError, Statement


def read_statement(path: Path) -> Statement:
    """Read a saved statement. A file that begins with a brace is JSON, else CSV. Raise MalformedError and OSError."""
    with path.open("rb") as file:
        data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise MalformedError(f"it is larger than a statement may be ({BYTES_MAX // 1_000_000} MB)")
    try:
        # Some editors add a byte order mark.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedError(f"it is not UTF-8 text (byte {error.start + 1})") from None
    if not text.strip():
        raise MalformedError("it is empty")
    return read_json(text) if text.lstrip().startswith(("{", "[")) else read_csv(text)
