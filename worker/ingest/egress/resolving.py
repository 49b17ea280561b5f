"""Hosts resolved to addresses that may be connected to: within bounded time, all of them checked."""

import queue
import threading
from collections.abc import Sequence
from ipaddress import ip_address

from chalicelib.domain.streams.addresses import IpAddress, IpNetwork, is_allowed_address
from worker.egress_rules import Lookup, system_lookup
from worker.ingest.errors import HostRefused

# A look-up cannot be cancelled. This many may hang in the resolver at a time, over all streams of the worker.
LOOKUPS_MAX = 32
_lookups = threading.BoundedSemaphore(LOOKUPS_MAX)


def resolve_all(
    host: str, networks: tuple[IpNetwork, ...], timeout_s: float, lookup: Lookup = system_lookup
) -> list[IpAddress]:
    """Return all addresses of a host, best first. Raise `HostRefused` if there is none, or any is not allowed."""
    try:
        addresses = [ip_address(host)]
    except ValueError:
        addresses = [ip_address(text) for text in dict.fromkeys(_within(timeout_s, lookup, host))]
    if not addresses:
        raise HostRefused(f"the name {host!r} has no address")
    for address in addresses:
        if not is_allowed_address(address, networks):
            allowed = "public addresses, and networks that TOLLCAST_INGEST_NETWORKS names"
            raise HostRefused(f"{host!r} has the address {address}, which is not public; allowed: {allowed}")
    return addresses


def _within(timeout_s: float, lookup: Lookup, host: str) -> Sequence[str]:
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(lookup(host))
        # UnicodeError: the resolver cannot encode the name.
        except (OSError, UnicodeError) as error:
            answers.put(error)
        finally:
            _lookups.release()

    if not _lookups.acquire(blocking=False):
        raise HostRefused(f"the name {host!r} was not looked up: {LOOKUPS_MAX} others wait for the resolver")
    threading.Thread(target=ask, name="lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise HostRefused(f"the name {host!r} was not resolved within {timeout_s:.0f} s") from None
    if isinstance(answer, Exception):
        raise HostRefused(f"the name {host!r} cannot be resolved: {answer}")
    return answer
