"""Lines and attributes of HLS playlists (RFC 8216). The parsers are lenient: what is invalid counts as absent."""

import re

# Starts only where a name starts and does not backtrack, so that a long line cannot take long.
_ATTRIBUTE = re.compile(r'(?<![A-Z0-9-])([A-Z0-9-]++)=("[^"]*"|[^,]*)')
_NUMBER = re.compile(r"[0-9]{1,18}")


def to_lines(body: bytes) -> list[str]:
    """Return the lines without their ends, of any kind. `to_body` restores every other byte."""
    return body.decode("utf-8", "surrogateescape").replace("\r", "\n").split("\n")


def to_body(lines: list[str]) -> bytes:
    """Return a playlist of these lines."""
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def tag_name(line: str) -> str:
    """Return `#EXT-X-KEY` of `#EXT-X-KEY:METHOD=NONE`; an empty text for URIs and comments."""
    return line.partition(":")[0].strip() if line.startswith("#EXT") else ""


def value(line: str) -> str:
    """Return what follows the name of a tag."""
    return line.partition(":")[2].strip()


def attributes(line: str) -> dict[str, str]:
    """Return the attribute list of a tag, without quotes."""
    return {name: text.strip().strip('"') for name, text in _ATTRIBUTE.findall(value(line))}


def number(text: str) -> int:
    """Return the decimal integer at the beginning of a text; 0 if there is none."""
    found = _NUMBER.match(text.strip())
    return int(found[0]) if found else 0
