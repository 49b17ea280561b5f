"""Why the ingest rejected or disconnected senders of a stream: one small JSON object for each stream.

It holds reasons, counts and times, without addresses and keys.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Older rejections are dropped, and their count restarts.
KEPT_MS = 24 * 3600 * 1000
# An older rejection does not explain why a stream waits now. The collector writes every 10 s.
NEWS_MS = 60_000
COUNT_MAX = 1_000_000_000
# The start of a worker's error while a listening source has no sender.
WAITING_FOR_SENDER = "waiting for the sender"


class RefusalCode(StrEnum):
    """Why a sender was rejected or disconnected."""

    WRONG_KEY = "wrong_key"
    NOT_ALLOWED_ANY_MORE = "not_allowed_any_more"
    NOT_LISTENING = "not_listening"
    ALREADY_SENDING = "already_sending"
    SILENT = "silent"
    CHUNKS_REFUSED = "chunks_refused"
    OUT_OF_MEMORY = "out_of_memory"


# Their limits are set in `gateway/ingest/ingest.conf.template` and `gateway/ingest/config.py`.
DETAILS = {
    RefusalCode.WRONG_KEY: "A sender used a wrong, old or missing stream key. Copy the stream key from the stream's"
    " settings.",
    RefusalCode.NOT_ALLOWED_ANY_MORE: "A sender was disconnected because the stream's key or source changed."
    " Copy the key from the stream's settings.",
    RefusalCode.NOT_LISTENING: "A sender connected by RTMP, but no source of the stream listens for RTMP."
    " Set one to mode `listen` with protocol `rtmp`.",
    RefusalCode.ALREADY_SENDING: "A second sender was rejected while another one was sending. Stop the other one.",
    RefusalCode.SILENT: "A sender was disconnected after 5 s without picture and sound. Its network may have failed,"
    " or one frame took longer than that.",
    RefusalCode.CHUNKS_REFUSED: "A sender was disconnected because its RTMP is not supported. Allowed: chunks of at"
    " most 10 MB, in chunk streams below 16.",
    RefusalCode.OUT_OF_MEMORY: "A sender was disconnected because the ingest had no memory for its frame. All"
    " connections share 2 GiB; reduce the size of key frames or the number of senders.",
}


@dataclass(frozen=True, kw_only=True)
class IngestRefusal:
    """A reason with its `count` and the time of the last rejection."""

    code: RefusalCode
    count: int
    last_at_ms: int

    @property
    def detail(self) -> str:
        """The reason in words, and what to do."""
        return DETAILS[self.code]


def ingest_refusals_key(stream_id: str) -> str:
    """Return the object's key in the media bucket, outside what gateways may serve."""
    return f"logs/ingest/{stream_id}.json"


def merge(*lists: Iterable[IngestRefusal], now_ms: int) -> tuple[IngestRefusal, ...]:
    """Return the sums of all lists, newest first, without old ones."""
    found: dict[RefusalCode, IngestRefusal] = {}
    for each in (each for some in lists for each in some if each.last_at_ms > now_ms - KEPT_MS):
        before = found.get(each.code, each)
        count = each.count + (before.count if before is not each else 0)
        last_at_ms = max(before.last_at_ms, each.last_at_ms)
        found[each.code] = IngestRefusal(code=each.code, count=min(count, COUNT_MAX), last_at_ms=last_at_ms)
    return tuple(sorted(found.values(), key=lambda each: each.last_at_ms, reverse=True))


def encode(refusals: Iterable[IngestRefusal]) -> bytes:
    """Return the object's content."""
    values = [{"code": each.code, "count": each.count, "last_at_ms": each.last_at_ms} for each in refusals]
    return json.dumps({"refusals": values}, separators=(",", ":")).encode()


def decode(body: bytes) -> tuple[IngestRefusal, ...]:
    """Return the rejections in an object without unknown codes; none if it is damaged."""
    try:
        return tuple(_refusal(each) for each in json.loads(body)["refusals"] if each["code"] in list(RefusalCode))
    except (ValueError, KeyError, TypeError):
        return ()


def _refusal(values: dict[str, Any]) -> IngestRefusal:
    return IngestRefusal(
        code=RefusalCode(values["code"]), count=int(values["count"]), last_at_ms=int(values["last_at_ms"])
    )
