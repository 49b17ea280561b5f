"""For a gateway without a denylist: it asks for a verdict each second or so, which is then how long a kick takes."""

from chalicelib.domain.end_reasons import EndReason


class NoDenylist:
    """The port `Denylist`, doing nothing."""

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        """See the port."""

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        """See the port."""

    def allow_stream(self, stream_id: str) -> None:
        """See the port."""

    def sweep(self, now_ms: int) -> int:
        """See the port."""
        return 0
