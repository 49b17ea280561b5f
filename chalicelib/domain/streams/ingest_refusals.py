"""Why the ingest refused or ended senders of a stream: one small JSON object a stream, with a count by reason.

It holds reasons, counts and times, and nothing that a sender sent: no address, no key.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Refusals that are older than this are dropped, and a count begins again.
KEPT_MS = 24 * 3600 * 1000
# An older refusal does not explain why a stream waits now. The collector writes every 10 s.
NEWS_MS = 60_000
COUNT_MAX = 1_000_000_000
# How a worker's error begins while a listening source has no sender.
WAITING_FOR_SENDER = "waiting for the sender"


class RefusalCode(StrEnum):
    """Why a sender was refused or ended."""

    WRONG_KEY = "wrong_key"
    NOT_ALLOWED_ANY_MORE = "not_allowed_any_more"
    NOT_LISTENING = "not_listening"
    ALREADY_SENDING = "already_sending"
    SILENT = "silent"
    CHUNKS_REFUSED = "chunks_refused"
    OUT_OF_MEMORY = "out_of_memory"


DETAILS = {
    RefusalCode.WRONG_KEY: "A sender came with a wrong or an old stream key, or with none. Copy the stream key from the"
    " stream's settings.",
    RefusalCode.NOT_ALLOWED_ANY_MORE: "A sender was ended, since the stream's key or source was changed while it sent."
    " Copy the key from the stream's settings.",
    RefusalCode.NOT_LISTENING: "A sender came by RTMP, but no source of the stream listens for RTMP."
    " Set one to mode `listen` with protocol `rtmp`.",
    RefusalCode.ALREADY_SENDING: "A sender came while another one was sending, and was refused. End the other one.",
    RefusalCode.SILENT: "A sender was ended that sent neither picture nor sound for 5 s. Its network may have failed,"
    " or one frame took longer than that.",
    RefusalCode.CHUNKS_REFUSED: "A sender was ended, since its RTMP is not taken. Allowed: chunks of at most 10 MB, in"
    " chunk streams below 16.",
    RefusalCode.OUT_OF_MEMORY: "A sender was ended, since the ingest had no memory left for its frame. All connections"
    " share 2 GiB; reduce the size of key frames, or the number of senders.",
}


@dataclass(frozen=True, kw_only=True)
class IngestRefusal:
    """A reason, and how often it was met: `count` times, the last of them at `last_at_ms`."""

    code: RefusalCode
    count: int
    last_at_ms: int

    @property
    def detail(self) -> str:
        """The reason in words, and what to do."""
        return DETAILS[self.code]


def ingest_refusals_key(stream_id: str) -> str:
    """The object's key in the media bucket, outside of what gateways may serve."""
    return f"logs/ingest/{stream_id}.json"


def merge(*lists: Iterable[IngestRefusal], now_ms: int) -> tuple[IngestRefusal, ...]:
    """The counts of all lists added up, newest first, without what is too old."""
    found: dict[RefusalCode, IngestRefusal] = {}
    for each in (each for some in lists for each in some if each.last_at_ms > now_ms - KEPT_MS):
        before = found.get(each.code, each)
        count = each.count + (before.count if before is not each else 0)
        last_at_ms = max(before.last_at_ms, each.last_at_ms)
        found[each.code] = IngestRefusal(code=each.code, count=min(count, COUNT_MAX), last_at_ms=last_at_ms)
    return tuple(sorted(found.values(), key=lambda each: each.last_at_ms, reverse=True))


def encode(refusals: Iterable[IngestRefusal]) -> bytes:
    """The object's content."""
    values = [{"code": each.code, "count": each.count, "last_at_ms": each.last_at_ms} for each in refusals]
    return json.dumps({"refusals": values}, separators=(",", ":")).encode()


def decode(body: bytes) -> tuple[IngestRefusal, ...]:
    """The refusals in an object, without those of codes that a newer version has added; none if it is damaged."""
    try:
        return tuple(_refusal(each) for each in json.loads(body)["refusals"] if each["code"] in list(RefusalCode))
    except (ValueError, KeyError, TypeError):
        return ()


def _refusal(values: dict[str, Any]) -> IngestRefusal:
    return IngestRefusal(
        code=RefusalCode(values["code"]), count=int(values["count"]), last_at_ms=int(values["last_at_ms"])
    )
