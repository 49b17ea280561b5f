"""Where pulled sources may be: what the configuration allows of addresses, ports and certificate authorities."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.streams.addresses import IpNetwork

Lookup = Callable[[str], Sequence[str]]


def system_lookup(host: str) -> list[str]:
    """Return every address of a name in the order of the system's resolver, of the families that this machine has."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(sockaddr[0]) for *_, sockaddr in found]


@dataclass(frozen=True, kw_only=True)
class EgressRules:
    """The rules of all pulled sources. `ca_file` None: the authorities that the system trusts."""

    networks: tuple[IpNetwork, ...] = ()
    ports: frozenset[int] = frozenset()
    ca_file: Path | None = None
    lookup: Lookup = system_lookup
