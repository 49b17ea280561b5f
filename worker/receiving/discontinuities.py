"""Discontinuity tags of a pulled HLS source. libavformat ignores them, so the worker's proxy is asked for them."""

from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from worker.receiving.request import FLV_FORMAT, ReceiveRequest

# No host has this name (RFC 6761), so the proxy answers itself. A playlist that names it gets nothing but numbers.
TAG_ADDRESS = "http://discontinuity.invalid/"
ANSWER_S_MAX = 1.0
ANSWER_BYTES_MAX = 1_000


class DiscontinuityTags:
    """The tags of one request's source; none if it does not come through a proxy."""

    def __init__(self, request: ReceiveRequest) -> None:
        proxy = "" if request.formats == FLV_FORMAT else request.options.get("http_proxy", "")
        self._proxy = urlsplit(proxy)

    def recent(self) -> list[int]:
        """Return the numbers of the tags before segments that are read about now; none without an answer."""
        if not self._proxy.hostname:
            return []
        connection = HTTPConnection(self._proxy.hostname, self._proxy.port, timeout=ANSWER_S_MAX)
        try:
            with suppress(OSError, HTTPException, ValueError):
                connection.request("GET", TAG_ADDRESS)
                return [int(number) for number in connection.getresponse().read(ANSWER_BYTES_MAX).split()]
        finally:
            connection.close()
        return []
