"""An HTTPS server of all pulled inputs: files, and live playlists with windows that slide by the clock."""

import re
import time
from collections.abc import Mapping
from pathlib import Path

from tests.integration.worker.origins import Origin, Page
from tests.media.inputs.model import Input, Serving

WINDOW = 5
# How many segments a live playlist has when it is asked for the first time.
AT_FIRST = 3
ENTRY = re.compile(r"((?:#[^\n]*\n)*?#EXTINF:([\d.]+)[^\n]*\n(?:#[^\n]*\n)*[^#\n]+\n)")
FRESH = "#EXT-X-DISCONTINUITY\n"


def window(text: str, elapsed_s: float, repeats: bool = False) -> str:
    """Return a media playlist as it is so long after it was asked for first.

    It names a segment once its time has come. At the end it stays the same, or starts again with the same numbers.
    """
    first = text.index("#EXTINF")
    # A discontinuity belongs to the segment behind it.
    start = text.rfind("\n", 0, first - 1) + 1 if text[:first].endswith(FRESH) else first
    head, entries = text[:start], ENTRY.findall(text[start:].replace("#EXT-X-ENDLIST\n", ""))
    lengths = [float(length) for _, length in entries]
    clock_s = elapsed_s + sum(lengths[:AT_FIRST])
    if repeats:
        clock_s %= sum(lengths)
    count = next((n for n in range(len(lengths)) if sum(lengths[: n + 1]) > clock_s), len(lengths))
    count = max(count, 1)
    begin = max(0, count - WINDOW)
    number = int(re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", head)[1]) + begin
    passed = sum(FRESH in entry for entry, _ in entries[:begin])
    head = re.sub(r"#EXT-X-MEDIA-SEQUENCE:\d+", f"#EXT-X-MEDIA-SEQUENCE:{number}", head)
    head = head.replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "")
    if passed:
        head += f"#EXT-X-DISCONTINUITY-SEQUENCE:{passed}\n"
    return head + "".join(entry for entry, _ in entries[begin:count])


class Served(dict[str, Page]):
    """The pages of an `Origin`: `/NAME/FILE` of each pulled input."""

    def __init__(self, items: Mapping[str, Input], directories: Mapping[str, Path]) -> None:
        super().__init__()
        self._items, self._directories = items, directories
        self._asked_at_s: dict[str, float] = {}

    def get(self, path: str, default: Page | None = None) -> Page | None:
        _, name, file = path.split("/", 2)
        item = self._items.get(name)
        if item is None:
            return default
        time.sleep(item.answer_delay_s)
        try:
            body = (self._directories[name] / file).read_bytes()
        except OSError:
            return default
        if item.serving is not Serving.AS_IS and b"#EXTINF" in body:
            began_s = self._asked_at_s.setdefault(path, time.monotonic())
            repeats = item.serving is Serving.REPEATING
            body = window(body.decode(), time.monotonic() - began_s, repeats).encode()
        kind = "application/vnd.apple.mpegurl" if body.startswith(b"#EXTM3U") else "video/mp2t"
        return Page([body], headers={"Content-Length": str(len(body)), "Content-Type": kind})


def origin(authority: object, port: int, items: Mapping[str, Input], directories: Mapping[str, Path]) -> Origin:
    """Return a server of these inputs at 127.0.0.1."""
    server = Origin("127.0.0.1", authority.context("127.0.0.1"), port)
    server.pages = Served(items, directories)
    return server
