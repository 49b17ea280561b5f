"""The endpoint that authorizes RTMP clients of the ingest's nginx, to send a stream or to play it.

The response to a refused sender of an existing stream names the stream and the reason in a header. nginx logs that
header to the refusal collector (gateway/ingest/refusal_collector.py). A refused player is not reported.

nginx's RTMP module sends a form: its own fields, then those that the client wrote behind the stream's name. So each
field that is read must occur once, and a client that writes one of the module's fields is refused.
"""

import logging
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import parse_qsl

from chalicelib.domain.ids import STREAM_ID
from chalicelib.domain.streams.ingest import ListenProtocol
from chalicelib.domain.streams.issues.ingest_refusals import RefusalCode
from chalicelib.domain.streams.stream import Stream, takes_rtmp
from chalicelib.ports.common import StoreUnavailable
from gateway.responses import Environ, Response

BODY_BYTES_MAX = 8 * 1024
FIELDS_MAX = 32
ENTER_CALLS = ("publish", "play")
UPDATE_CALLS = ("update_publish", "update_play")
SENDER_CALLS = ("publish", "update_publish")
# ingest.conf.template logs it.
REFUSAL_HEADER = "X-Tollcast-Refusal"

log = logging.getLogger("ingest")


def ingest(find_stream: Callable[[str], Stream | None], environ: Environ) -> Response:
    """Return 302 or 204 to a client with the stream's key, 403 to any other, 503 if the store does not respond.

    The redirect leads a new client to a name made of stream and key. So a client with an old key, or one that the
    module did not ask about, never shares a name with a valid one.
    """
    try:
        fields = _parse_form(environ)
        call, name = _single(fields, "call"), _single(fields, "name")
        # A sender without a key is refused like one with a wrong key, and its operator reads the same reason.
        key = _single(fields, "key") if "key" in fields else ""
        stream = find_stream(name) if call in (*ENTER_CALLS, *UPDATE_CALLS) and STREAM_ID.fullmatch(name) else None
    except StoreUnavailable as error:
        log.error("cannot check a key: %s", error)
        return Response(503, {})
    except ValueError as error:
        log.warning("refused: %s", error)
        return Response(403, {})
    if not takes_rtmp(stream, key):
        log.warning("refused %s of %.80r", call, name)
        return Response(403, _refusal_headers(stream, call))
    if call not in ENTER_CALLS:
        return Response(204, {})
    return Response(302, {"Location": f"{name}-{sha256(key.encode()).hexdigest()[:32]}"})


def _refusal_headers(stream: Stream | None, call: str) -> dict[str, str]:
    """Return the header with the reason for refusing a sender; none for a missing stream or a player."""
    if stream is None or stream.archived or call not in SENDER_CALLS:
        return {}
    listening = stream.listening
    if listening is None or listening.protocol is not ListenProtocol.RTMP:
        code = RefusalCode.NOT_LISTENING
    elif call in UPDATE_CALLS:
        code = RefusalCode.NOT_ALLOWED_ANY_MORE
    else:
        code = RefusalCode.WRONG_KEY
    return {REFUSAL_HEADER: f"{stream.stream_id} {code}"}


def _parse_form(environ: Environ) -> dict[str, list[str]]:
    length = environ.get("CONTENT_LENGTH") or "0"
    if environ.get("REQUEST_METHOD") != "POST" or not length.isdecimal() or not 0 < int(length) <= BODY_BYTES_MAX:
        raise ValueError(f"the request is no form of at most {BODY_BYTES_MAX} bytes")
    body = bytes(environ["wsgi.input"].read(int(length))).decode(errors="replace")
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_MAX):
        fields.setdefault(name, []).append(value)
    return fields


def _single(fields: dict[str, list[str]], name: str) -> str:
    values = fields.get(name, [])
    if len(values) != 1:
        raise ValueError(f"{name} occurs {len(values)} times instead of once")
    return values[0]
