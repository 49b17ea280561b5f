"""Whether somebody may send a stream by RTMP, or play what is sent: the endpoint that the ingest's nginx asks.

Where a sender of a stream that exists is refused, the answer names stream and reason in a header, which nginx writes to
the collector of refusals (gateway/refusals.py). A player that is refused is no news for an operator.

The question is a form that nginx's RTMP module makes: fields of its own, then whatever the sender wrote behind the
stream's name. So every field that counts must be there once; who writes one of the module's fields is refused.
"""

import logging
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import parse_qsl

from chalicelib.domain.ids import STREAM_ID
from chalicelib.domain.streams.ingest import ListenProtocol
from chalicelib.domain.streams.ingest_refusals import RefusalCode
from chalicelib.domain.streams.stream import Stream, takes_rtmp
from chalicelib.ports import StoreUnavailable
from gateway.answers import Answer, Environ

BODY_BYTES_MAX = 8 * 1024
FIELDS_MAX = 32
ENTERING = ("publish", "play")
STAYING = ("update_publish", "update_play")
SENDING = ("publish", "update_publish")
# Read by the hook's part of ingest.conf.template.
REFUSAL_HEADER = "X-Tollcast-Refusal"

log = logging.getLogger("ingest")


def ingest(stream_of: Callable[[str], Stream | None], environ: Environ) -> Answer:
    """302 or 204 for who knows the stream's key, else 403; 503 where it cannot be told.

    Who enters is redirected to a name that only this key leads to. So a sender with an old key, or one whom the module
    let in unasked, is where nobody plays from.
    """
    try:
        fields = _fields(environ)
        call, name = _only(fields, "call"), _only(fields, "name")
        # A sender without a key is refused like one with a wrong key, and its operator reads the same reason.
        key = _only(fields, "key") if "key" in fields else ""
        stream = stream_of(name) if call in (*ENTERING, *STAYING) and STREAM_ID.fullmatch(name) else None
    except StoreUnavailable as error:
        log.error("whether a key is right cannot be told: %s", error)
        return Answer(503, {})
    except ValueError as error:
        log.warning("refused: %s", error)
        return Answer(403, {})
    if not takes_rtmp(stream, key):
        log.warning("refused %s of %.80r", call, name)
        return Answer(403, _refusal(stream, call))
    return Answer(302, {"Location": _place(name, key)}) if call in ENTERING else Answer(204, {})


def _refusal(stream: Stream | None, call: str) -> dict[str, str]:
    """The header that says why a sender was refused; none for a stream that is not there, or for a player."""
    if stream is None or stream.archived or call not in SENDING:
        return {}
    listening = stream.listening
    if listening is None or listening.protocol is not ListenProtocol.RTMP:
        code = RefusalCode.NOT_LISTENING
    elif call in STAYING:
        code = RefusalCode.NOT_ALLOWED_ANY_MORE
    else:
        code = RefusalCode.WRONG_KEY
    return {REFUSAL_HEADER: f"{stream.stream_id} {code}"}


def _fields(environ: Environ) -> dict[str, list[str]]:
    length = environ.get("CONTENT_LENGTH") or "0"
    if environ.get("REQUEST_METHOD") != "POST" or not length.isdecimal() or not 0 < int(length) <= BODY_BYTES_MAX:
        raise ValueError(f"a question is a form of at most {BODY_BYTES_MAX} bytes")
    body = bytes(environ["wsgi.input"].read(int(length))).decode(errors="replace")
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_MAX):
        fields.setdefault(name, []).append(value)
    return fields


def _only(fields: dict[str, list[str]], name: str) -> str:
    values = fields.get(name, [])
    if len(values) != 1:
        raise ValueError(f"{name} is there {len(values)} times instead of once")
    return values[0]


def _place(stream_id: str, key: str) -> str:
    return f"{stream_id}-{sha256(key.encode()).hexdigest()[:32]}"
