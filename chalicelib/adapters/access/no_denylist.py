"""The denylist of the API Gateway authorizer, which has none: it decides each second, so a kick takes that long."""

from chalicelib.domain.end_reasons import EndReason


class NoDenylist:
    """The port `Denylist`, doing nothing."""

    def deny_session(self, session_id: str, reason: EndReason) -> None: ...

    def deny_stream(self, stream_id: str, reason: EndReason) -> None: ...

    def allow_stream(self, stream_id: str) -> None: ...

    def sweep(self, now_ms: int) -> int:
        return 0
