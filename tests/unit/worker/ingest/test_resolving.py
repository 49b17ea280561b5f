import threading
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.worker.parts import eventually
from worker import egress_rules
from worker.ingest.egress import resolving
from worker.ingest.egress.resolving import resolve_all
from worker.ingest.errors import HostRefused

V4, V6 = ip_address("8.8.8.8"), ip_address("2606:4700::1111")


def answering(*addresses: object):
    return lambda host: [str(address) for address in addresses]


def pinned(*answer: object, networks=(), host="a.example"):
    return resolve_all(host, networks, 1, answering(*answer))[0]


def test_the_first_of_the_good_addresses_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pinned(V6, V4, V4) == V6
    assert resolve_all("a.example", (), 1, answering(V6, V4, V4)) == [V6, V4]
    asked = []

    def getaddrinfo(host, port, **how):
        asked.append(host)
        return [(2, 1, 6, "", (str(V4), 0)), (10, 1, 6, "", (str(V6), 0, 0, 0))]

    # The system's resolver is asked for all.
    monkeypatch.setattr(egress_rules.socket, "getaddrinfo", getaddrinfo)
    assert resolve_all("a.example", (), 1) == [V4, V6] and asked == ["a.example"]


def test_inner_addresses_are_refused_but_for_the_networks_of_the_configuration() -> None:
    networks = (ip_network("10.20.0.0/16"),)
    assert pinned("10.20.0.1", networks=networks) == ip_address("10.20.0.1")
    with pytest.raises(HostRefused):
        pinned("10.20.0.1", "10.21.0.1", networks=networks)
    # An address is checked without a look-up.
    assert pinned("no look-up", host="8.8.8.8") == V4
    with pytest.raises(HostRefused):
        pinned(V4, host="::1")
    # One inner address spoils the rest.
    for inner in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1", "fe80::1%lo"]:
        for answer in ((inner,), (V4, inner), (inner, V4)):
            with pytest.raises(HostRefused, match="not public; allowed"):
                pinned(*answer)


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long")])
def test_a_failed_look_up_is_reported(error: Exception) -> None:
    def lookup(host: str) -> Sequence[str]:
        raise error

    with pytest.raises(HostRefused, match=str(error)):
        resolve_all("a.example", (), 1, lookup)
    with pytest.raises(HostRefused, match="no address"):
        pinned()


def test_look_ups_are_bounded_in_time_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "_lookups", threading.BoundedSemaphore(1))
    over, ended = threading.Event(), threading.Event()

    def hanging(host: str) -> Sequence[str]:
        over.wait(20)
        ended.set()
        return ["8.8.8.8"]

    with pytest.raises(HostRefused, match="not resolved within"):
        resolve_all("a.example", (), 0.05, hanging)
    with pytest.raises(HostRefused, match="others wait"):
        pinned(V4)
    over.set()
    assert ended.wait(5)

    def has_a_place() -> bool:
        with suppress(HostRefused):
            return pinned(V4) == V4
        return False

    assert eventually(has_a_place), "it gives its place back a moment after its answer"
