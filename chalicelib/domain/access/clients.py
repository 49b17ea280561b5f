"""Addresses and user agents of clients, and the keys that they are stored by, apart from all longer-lived data."""

from dataclasses import dataclass

from chalicelib.domain.access.limits import network_of

AGENT_CHARS_MAX = 200
LOGIN_PREFIX = "login."


@dataclass(frozen=True, kw_only=True)
class Client:
    """The network address and user agent of a viewer's or operator's HTTP client.

    The API makes it in `api/endpoint.py`, the gateway in `gateway/endpoints/authorization.py`. A new field needs a
    default, since stored rows lack it; `bound` and `differing` ignore it unless they are changed too.
    """

    ip: str
    user_agent: str = ""

    @property
    def bound(self) -> "Client":
        """Return what a session is bound to: the address (IPv6: its network) and the start of the user agent."""
        return Client(ip=network_of(self.ip), user_agent=self.user_agent[:AGENT_CHARS_MAX])


def differing(first: Client, other: Client) -> list[str]:
    """Return the names of the differences between two `bound` clients."""
    words = {"address": first.ip != other.ip, "user agent": first.user_agent != other.user_agent}
    return [word for word, differs in words.items() if differs]


def start_key(session_id: str) -> str:
    """Return the key of the client that started a session."""
    return f"start.{session_id}"


def media_key(session_id: str) -> str:
    """Return the key of the client that a session's media is bound to: the first that fetched it."""
    return f"media.{session_id}"


def login_key(at_ms: int, login_id: str) -> str:
    """Return the key of the client of a login. Keys of logins sort by time."""
    return f"{LOGIN_PREFIX}{at_ms:013d}.{login_id}"


def audit_key(audit_id: str) -> str:
    """Return the key of the operator's client behind an audit entry."""
    return f"audit.{audit_id}"
