"""The endpoint that signs requests to the media store."""

import re

from chalicelib.observability import report_error
from gateway.endpoints.services import EndpointServices
from gateway.responses import Environ, Response

SIGNATURE_S = 60
MEDIA_KEY = re.compile(r"streams/[a-z0-9][a-z0-9-]{0,62}/(?:[a-z0-9]+/)?[a-z0-9-]+\.(?:m3u8|ts)")


def sign(services: EndpointServices, environ: Environ) -> Response:
    """Return 200 with the signed query of the stream's object that `X-Tollcast-Key` names, or 403 or 503."""
    key = environ.get("HTTP_X_TOLLCAST_KEY", "")
    if not MEDIA_KEY.fullmatch(key):
        return Response(403, {})
    try:
        return Response(200, {"X-Tollcast-Query": services.signed_query(key, SIGNATURE_S)})
    except Exception as error:
        report_error("cannot sign an address", key=key, error=str(error), exc_info=error)
        return Response(503, {})
