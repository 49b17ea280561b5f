"""The port `Clients`: the fake and DynamoDB keep the same promises."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.domain.access.clients import Client, audit_key, media_key, start_key
from chalicelib.ports.access.clients import Clients
from tests.fakes.access.clients import MS_PER_DAY

DAYS = 30
# Today's rows: the store deletes expired ones at any moment.
NOW_MS = int(time.time() * 1000)
HOME, CAFE = Client(ip="192.0.2.1", user_agent="mpv"), Client(ip="2001:db8::/64", user_agent="")


clients = pytest.fixture(lambda stores: stores.clients)


def test_clients_are_returned_until_they_expire(clients: Clients) -> None:
    clients.put(start_key("a"), "u_1", HOME, NOW_MS)
    clients.put(audit_key("a"), "u_2", CAFE, NOW_MS - MS_PER_DAY)
    keys = [start_key("a"), audit_key("a"), start_key("unknown"), start_key("a")]
    assert clients.get_many(keys, NOW_MS) == {start_key("a"): HOME, audit_key("a"): CAFE}
    assert clients.get_many(keys, NOW_MS + (DAYS - 1) * MS_PER_DAY) == {start_key("a"): HOME}
    assert clients.get_many(keys, NOW_MS + DAYS * MS_PER_DAY) == {}
    assert clients.get_many([], NOW_MS) == {}
    many = [start_key(f"{number}") for number in range(101)]
    for key in many:
        clients.put(key, "u_3", HOME, NOW_MS)
    assert len(clients.get_many(many, NOW_MS)) == 101


def test_the_first_client_is_the_one_that_is_bound(clients: Clients) -> None:
    key = media_key("a")
    assert clients.bind(key, "u_1", HOME, NOW_MS) == HOME
    assert clients.bind(key, "u_1", CAFE, NOW_MS + 1) == HOME
    after = NOW_MS + DAYS * MS_PER_DAY
    assert clients.bind(key, "u_1", CAFE, after) == CAFE
    assert clients.bind(key, "u_1", HOME, after) == CAFE


def test_of_many_at_once_one_is_the_first(clients: Clients) -> None:
    several = [Client(ip=f"192.0.2.{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        returned = set(pool.map(lambda each: clients.bind(media_key("a"), "u_1", each, NOW_MS), several))
    assert len(returned) == 1


def test_that_another_one_has_asked_is_noted_once(clients: Clients) -> None:
    clients.bind(media_key("a"), "u_1", HOME, NOW_MS)
    assert [clients.mark_elsewhere(media_key("a")) for _ in range(3)] == [True, False, False]
    assert not clients.mark_elsewhere(media_key("unknown"))
    assert clients.get_many([media_key("a"), media_key("unknown")], NOW_MS) == {media_key("a"): HOME}


def test_only_the_clients_of_this_user_are_deleted(clients: Clients) -> None:
    mine = [start_key(f"{number}") for number in range(30)]
    for key in (*mine, audit_key("mine")):
        clients.put(key, "u_1", HOME, NOW_MS)
    clients.put(start_key("other"), "u_2", HOME, NOW_MS)
    clients.delete(start_key("0"))
    clients.delete(start_key("0"))
    assert start_key("0") not in clients.get_many(mine, NOW_MS)
    forgotten = [clients.delete_of_user("u_1", 26) for _ in range(3)]
    assert forgotten == [26, 4, 0]
    assert clients.get_many([*mine, audit_key("mine"), start_key("other")], NOW_MS) == {start_key("other"): HOME}
