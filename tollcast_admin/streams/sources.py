"""Sources of a stream as operators write and read them: `test`, `file:film.mp4`, `rtmp`, `srt:9000`, or a URL."""

import re
from typing import Any
from urllib.parse import urlsplit

import click

from player.terminal.prompts import line_from_stdin

FORMS = (
    "`test`, `file:PATH` (in the media directory), `rtmp` or `srt:PORT` (to wait for a sender), or the URL of an "
    "https, rtmps or srt source"
)
# Words behind a source: the option, and its field in the API.
CHOICES = {"program": "program", "audio": "audio_track"}
CHOICE = re.compile(r"\s+(program|audio)=([0-9]{1,6})$")
FROM_STDIN = "-"


class Source(click.ParamType[dict[str, Any]]):
    """A source, as the API's fields. `-` reads it from standard input, since a URL may contain a password."""

    name = "source"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return the fields of `ingest`. Raise click.BadParameter."""
        if isinstance(value, dict):
            return value
        text = line_from_stdin("source") if value == FROM_STDIN else str(value)
        source = source_of(text)
        if source is None:
            shown = "The source" if value == FROM_STDIN else repr(text)
            self.fail(f"{shown} is no source. Write {FORMS}", param, ctx)
        return source


def source_of(text: str) -> dict[str, Any] | None:
    """Return the API's fields for a source, None for a text that is none. The server checks the values."""
    rest, choices = text.strip(), {}
    while match := CHOICE.search(rest):
        rest, choices[CHOICES[match[1]]] = rest[: match.start()], int(match[2])
    kind, _, value = rest.partition(":")
    if rest == "test":
        return {"mode": "test", **choices}
    if rest == "rtmp":
        return {"mode": "listen", "protocol": "rtmp", **choices}
    if kind == "srt" and value.isascii() and value.isdigit():
        return {"mode": "listen", "protocol": "srt", "port": int(value), **choices}
    if kind == "file" and value:
        return {"mode": "file", "path": value, **choices}
    if "://" in rest:
        return {"mode": "pull", "url": rest, **choices}
    return None


def source_text(source: dict[str, Any]) -> str:
    """Return a source in words, with the host of a URL only: its path and query may contain passwords."""
    mode = source["mode"]
    if mode == "pull":
        parts = urlsplit(source.get("url") or "")
        text = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
    elif mode == "listen":
        text = f"srt:{source.get('port')}" if source.get("protocol") == "srt" else "rtmp"
    else:
        text = f"file:{source.get('path')}" if mode == "file" else str(mode)
    words = [f"{word}={source[field]}" for word, field in CHOICES.items() if source.get(field) is not None]
    return " ".join([text, *words])
