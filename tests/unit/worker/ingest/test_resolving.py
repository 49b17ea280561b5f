"""The address to which a name is pinned."""

import threading
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest

from worker import egress_rules
from worker.ingest.egress import resolving
from worker.ingest.egress.resolving import resolve_all, resolve_pinned
from worker.ingest.errors import HostRefused

NONE: tuple[()] = ()


def answering(*addresses: str):
    return lambda host: list(addresses)


def test_the_first_of_the_good_addresses_is_pinned() -> None:
    lookup = answering("2606:4700::1111", "8.8.8.8", "8.8.8.8")
    assert resolve_pinned("a.example", NONE, 1, lookup) == ip_address("2606:4700::1111")
    assert resolve_all("a.example", NONE, 1, lookup) == [ip_address("2606:4700::1111"), ip_address("8.8.8.8")]


@pytest.mark.parametrize(
    "inner", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1", "fe80::1%lo"]
)
def test_one_inner_address_spoils_the_rest(inner: str) -> None:
    for answer in ((inner,), ("8.8.8.8", inner), (inner, "8.8.8.8")):
        with pytest.raises(HostRefused, match="not public; allowed"):
            resolve_pinned("a.example", NONE, 1, answering(*answer))


def test_networks_of_the_configuration_are_allowed() -> None:
    networks = (ip_network("10.20.0.0/16"),)
    assert resolve_pinned("a.example", networks, 1, answering("10.20.0.1")) == ip_address("10.20.0.1")
    with pytest.raises(HostRefused):
        resolve_pinned("a.example", networks, 1, answering("10.20.0.1", "10.21.0.1"))


def test_an_address_is_checked_without_a_look_up() -> None:
    def lookup(host: str) -> Sequence[str]:
        raise AssertionError

    assert resolve_pinned("8.8.8.8", NONE, 1, lookup) == ip_address("8.8.8.8")
    with pytest.raises(HostRefused):
        resolve_pinned("::1", NONE, 1, lookup)


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long")])
def test_a_failed_look_up_is_reported(error: Exception) -> None:
    def lookup(host: str) -> Sequence[str]:
        raise error

    with pytest.raises(HostRefused, match=str(error)):
        resolve_pinned("a.example", NONE, 1, lookup)
    with pytest.raises(HostRefused, match="no address"):
        resolve_pinned("a.example", NONE, 1, answering())


def test_look_ups_are_bounded_in_time_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "_lookups", threading.BoundedSemaphore(1))
    over, ended = threading.Event(), threading.Event()

    def hanging(host: str) -> Sequence[str]:
        over.wait(20)
        ended.set()
        return ["8.8.8.8"]

    with pytest.raises(HostRefused, match="not resolved within"):
        resolve_pinned("a.example", NONE, 0.05, hanging)
    with pytest.raises(HostRefused, match="others wait"):
        resolve_pinned("a.example", NONE, 1, answering("8.8.8.8"))
    over.set()
    assert ended.wait(5)
    for _ in range(100):  # it gives its place back a moment after its answer
        try:
            assert resolve_pinned("a.example", NONE, 1, answering("8.8.8.8")) == ip_address("8.8.8.8")
            return
        except HostRefused:
            threading.Event().wait(0.02)
    pytest.fail("the place never came free")


def test_the_systems_resolver_is_asked_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def getaddrinfo(host, port, **how):
        asked.append(host)
        return [(2, 1, 6, "", ("8.8.8.8", 0)), (10, 1, 6, "", ("2606:4700::1111", 0, 0, 0))]

    monkeypatch.setattr(egress_rules.socket, "getaddrinfo", getaddrinfo)
    assert resolve_all("a.example", NONE, 1) == [ip_address("8.8.8.8"), ip_address("2606:4700::1111")]
    assert asked == ["a.example"]
