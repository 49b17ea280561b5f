"""Why a host or a request of a pulled source is refused."""

from http import HTTPStatus


class HostRefused(Exception):
    """The host may not be connected to, or has no address. The message gives the operator the reason."""


class EgressRefused(Exception):
    """The egress proxy refuses a receiver's request. The message is for the operator, `status` for the receiver."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
