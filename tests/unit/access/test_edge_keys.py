"""CloudFront's function knows each play key before anything is signed with it."""

import pytest

from chalicelib.adapters import aws
from chalicelib.adapters.access.edge_keys import EdgeKeyStore
from chalicelib.adapters.access.keyvalue_store import TRIES_MAX, KeyValueStore
from chalicelib.domain.access.key_sets import ANNOUNCED_MS, KEY_DAYS, MS_PER_DAY, first_key_sets
from chalicelib.domain.access.tokens import TokenKind
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access.key_rotation import KeyRotation, new_key
from tests.fakes.access.keys import MemoryKeyStore
from tests.fakes.access.keyvalue import MemoryKeyValueClient
from tests.fakes.simple import SetClock

DENIAL = {"stream/s": "stream_paused"}


class Edge:
    """A stage with its secret, and the store that its edges read."""

    def __init__(self, client: MemoryKeyValueClient) -> None:
        self.client, self.clock = client, SetClock()
        self.secret = MemoryKeyStore(first_key_sets(new_key, self.clock.now_ms()))
        edges = KeyValueStore("arn", sleep=lambda _: None)
        self.keys = EdgeKeyStore(self.secret, edges)
        self.rotation = KeyRotation(self.keys, self.clock)

    @property
    def current(self) -> str:
        return self.secret.sets[TokenKind.PLAY].current

    @property
    def at_the_edge(self) -> dict[str, str]:
        return {name: key for name, key in self.client.entries.items() if name.startswith("key/")}

    def holds_what_is_secret(self) -> bool:
        """Return whether the edge has the play keys, and none of another kind."""
        return self.at_the_edge == {f"key/{kid}": key for kid, key in self.secret.sets[TokenKind.PLAY].keys.items()}


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    client = MemoryKeyValueClient()
    client.entries |= DENIAL
    monkeypatch.setitem(aws.clients, "cloudfront-keyvaluestore", client)
    return Edge(client)


def test_the_edge_has_the_play_keys_and_no_others(edge: Edge) -> None:
    edge.client.entries["key/gone"] = "x"
    assert edge.keys.publish(edge.secret.sets)
    assert edge.holds_what_is_secret() and edge.client.entries["stream/s"] == "stream_paused"
    assert not edge.keys.publish(edge.secret.sets)
    assert edge.client.writes == 1, "nothing has changed"


def test_through_two_rotations_the_edge_has_the_keys_of_the_secret(edge: Edge) -> None:
    edge.keys.publish(edge.secret.sets)
    for number in (2, 3):
        edge.clock.advance(KEY_DAYS * MS_PER_DAY)
        edge.rotation.rotate_if_due()
        assert edge.current == f"k{number - 1}" and f"key/k{number}" in edge.at_the_edge
        edge.clock.advance(ANNOUNCED_MS)
        edge.rotation.rotate_if_due()
        assert edge.current == f"k{number}" and edge.holds_what_is_secret()


def test_no_key_signs_that_the_edge_has_not_heard_of_in_time(edge: Edge) -> None:
    edge.keys.publish(edge.secret.sets)
    edge.clock.advance(KEY_DAYS * MS_PER_DAY)
    edge.client.conflicts = 2 * TRIES_MAX
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="tries"):
            edge.rotation.rotate_if_due()
        edge.clock.advance(ANNOUNCED_MS)
    with pytest.raises(StoreUnavailable, match="only now"):
        edge.rotation.rotate_if_due()
    assert edge.current == "k1" and edge.holds_what_is_secret()
    edge.clock.advance(ANNOUNCED_MS)
    edge.rotation.rotate_if_due()
    assert edge.current == "k2" and edge.holds_what_is_secret()
