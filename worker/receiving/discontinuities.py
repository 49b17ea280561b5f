"""Discontinuity tags of a pulled HLS source. libavformat ignores them, so the worker's proxy is asked for them."""

from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from worker.receiving.request import FLV_FORMAT, ReceiveRequest

# No host has this name (RFC 6761), so the proxy answers itself. A playlist that names it gets nothing but numbers.
TAG_ADDRESS = "http://discontinuity.invalid/"
ANSWER_S_MAX = 1.0
ANSWER_BYTES_MAX = 1_000


def recent_tags(request: ReceiveRequest) -> list[int]:
    """Return the numbers of the tags before segments of a source that are read about now.

    There are none without an answer, and where the source does not come through a proxy.
    """
    proxy = urlsplit("" if request.formats == FLV_FORMAT else request.options.get("http_proxy", ""))
    if not proxy.hostname:
        return []
    connection = HTTPConnection(proxy.hostname, proxy.port, timeout=ANSWER_S_MAX)
    try:
        with suppress(OSError, HTTPException, ValueError):
            connection.request("GET", TAG_ADDRESS)
            return [int(number) for number in connection.getresponse().read(ANSWER_BYTES_MAX).split()]
    finally:
        connection.close()
    return []
