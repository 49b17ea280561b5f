"""From where and with what somebody asks, and under which keys that is kept: apart from all that is kept for longer."""

from dataclasses import dataclass

from chalicelib.domain.access.limits import network_of

ADDRESS_DAYS_DEFAULT = 30
# No longer than the audit log keeps its entries.
ADDRESS_DAYS_MIN, ADDRESS_DAYS_MAX = 1, 400
AGENT_CHARS_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who asks, as far as the network tells: an address and a user agent."""

    ip: str
    user_agent: str = ""

    @property
    def bound(self) -> "Client":
        """What a session is bound to: the address, of IPv6 its network, and the agent's first characters."""
        return Client(ip=network_of(self.ip), user_agent=self.user_agent[:AGENT_CHARS_MAX])


def differing(first: Client, other: Client) -> list[str]:
    """In what two clients differ, each as `bound`, in words; nothing where they count as one."""
    words = {"address": first.ip != other.ip, "user agent": first.user_agent != other.user_agent}
    return [word for word, differs in words.items() if differs]


def start_key(session_id: str) -> str:
    """Of the client that has started a session."""
    return f"start.{session_id}"


def media_key(session_id: str) -> str:
    """Of the client that a session's media is bound to: the first that fetched some under a policy."""
    return f"media.{session_id}"


def audit_key(audit_id: str) -> str:
    """Of the operator who has done something."""
    return f"audit.{audit_id}"
