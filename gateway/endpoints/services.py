"""The services that the endpoints call."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.access.clients import Client
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.streams.stream import Stream
from chalicelib.services.access.access import Decision


@dataclass(frozen=True, kw_only=True)
class EndpointServices:
    """The access rule, the media store's signer, the denylist, the streams and the clock, as functions."""

    authorize: Callable[[str | None, str, Client], Decision]
    signed_query: Callable[[str, int], str]
    denial_reason: Callable[[str, str | None], EndReason | None]
    find_stream: Callable[[str], Stream | None]
    now_ms: Callable[[], int]
