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

    def __init__(self, client):
        self.client, self.clock = client, SetClock()
        self.secret = MemoryKeyStore(first_key_sets(new_key, self.clock.now_ms()))
        self.keys = EdgeKeyStore(self.secret, KeyValueStore("arn", sleep=lambda _: None))
        self.rotation = KeyRotation(self.keys, self.clock)

    def state(self):
        """Return the current play key, the names of keys at the edge, and whether they are those of the secret."""
        play = self.secret.sets[TokenKind.PLAY]
        keys = {name: key for name, key in self.client.entries.items() if name.startswith("key/")}
        return play.current, set(keys), keys == {f"key/{kid}": key for kid, key in play.keys.items()}


@pytest.fixture
def edge(monkeypatch):
    client = MemoryKeyValueClient()
    client.entries["stream/s"] = "stream_paused"
    monkeypatch.setitem(aws.clients, "cloudfront-keyvaluestore", client)
    return Edge(client)


def test_the_edge_has_the_play_keys_and_no_others(edge):
    edge.client.entries["key/gone"] = "x"
    assert edge.keys.publish(edge.secret.sets)
    assert edge.state() == ("k1", {"key/k1"}, True) and edge.client.entries["stream/s"] == "stream_paused"
    assert not edge.keys.publish(edge.secret.sets)
    assert edge.client.writes == 1, "nothing has changed"


def test_through_two_rotations_the_edge_has_the_keys_of_the_secret(edge):
    edge.keys.publish(edge.secret.sets)
    for number in (2, 3):
        edge.clock.advance(KEY_DAYS * MS_PER_DAY)
        edge.rotation.rotate_if_due()
        current, at_the_edge, _ = edge.state()
        assert current == f"k{number - 1}" and f"key/k{number}" in at_the_edge
        edge.clock.advance(ANNOUNCED_MS)
        edge.rotation.rotate_if_due()
        assert edge.state()[::2] == (f"k{number}", True)


def test_no_key_signs_that_the_edge_has_not_heard_of_in_time(edge):
    edge.keys.publish(edge.secret.sets)
    edge.clock.advance(KEY_DAYS * MS_PER_DAY)
    edge.client.conflicts = 2 * TRIES_MAX
    for refusal in ("tries", "tries", "only now"):
        with pytest.raises(StoreUnavailable, match=refusal):
            edge.rotation.rotate_if_due()
        assert edge.state()[::2] == ("k1", refusal == "only now")
        edge.clock.advance(ANNOUNCED_MS)
    edge.rotation.rotate_if_due()
    assert edge.state()[::2] == ("k2", True)
