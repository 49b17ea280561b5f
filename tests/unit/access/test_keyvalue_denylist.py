"""The KeyValueStore of CloudFront's function: what is asked of AWS, conflicts, bounds and settings."""

from contextlib import nullcontext

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from chalicelib import bootstrap, config
from chalicelib.adapters import aws
from chalicelib.adapters.access import keyvalue_denylist
from chalicelib.adapters.access.file_denylist import SESSION_ENTRY_MS
from chalicelib.adapters.access.keyvalue_denylist import ENTRIES_MAX, KeyValueDenylist
from chalicelib.adapters.access.keyvalue_store import KEYS_PER_WRITE_MAX, TRIES_MAX, KeyValueStore
from chalicelib.config import ConfigError, load
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.access.keyvalue import MemoryKeyValueClient, refusal
from tests.fixtures.settings import service_environment

ARN = "arn:aws:cloudfront::123456789012:key-value-store/01234567-89ab-cdef-0123-456789abcdef"
SERVICE = "cloudfront-keyvaluestore"
DESCRIBED = {"ItemCount": 1, "TotalSizeInBytes": 70, "KvsARN": ARN, "Created": 1, "ETag": "E1"}


@pytest.fixture
def client(monkeypatch):
    client = MemoryKeyValueClient()
    monkeypatch.setitem(aws.clients, SERVICE, client)
    return client


@pytest.fixture
def waits():
    return []


store = pytest.fixture(lambda client, waits: KeyValueStore(ARN, sleep=waits.append))


def test_requests_are_those_of_the_sdk(monkeypatch):
    """The SDK's own model of the service, signed with v4, for which it needs no further package."""
    config = Config(signature_version="v4")
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    real = boto3.client(SERVICE, region_name="us-east-1", config=config, **keys)
    monkeypatch.setitem(aws.clients, SERVICE, real)
    store = KeyValueStore(ARN)
    with Stubber(real) as stub:
        stub.add_response("describe_key_value_store", DESCRIBED, {"KvsARN": ARN})
        changes = {"Puts": [{"Key": "a", "Value": "1"}], "Deletes": [{"Key": "b"}]}
        written = {"ItemCount": 1, "TotalSizeInBytes": 70, "ETag": "E2"}
        stub.add_response("update_keys", written, {"KvsARN": ARN, "IfMatch": "E1", **changes})
        store.write({"a": "1"}, ["b"])
        stub.add_response("list_keys", {"Items": [{"Key": "a", "Value": "1"}]}, {"KvsARN": ARN, "MaxResults": 10})
        assert list(store.items(10)) == [("a", "1")]
        stub.add_client_error("get_key", "ResourceNotFoundException", http_status_code=404)
        assert store.get("b") is None
        stub.add_client_error("get_key", "AccessDeniedException", http_status_code=403)
        with pytest.raises(StoreUnavailable, match="AccessDenied"):
            store.get("b")
        stub.assert_no_pending_responses()


def test_conflicts_are_tried_again_but_not_for_ever(store, client, waits):
    client.conflicts = 1_000
    with pytest.raises(StoreUnavailable, match=f"each of {TRIES_MAX} tries"):
        store.write({"a": "1"})
    assert (client.entries, len(waits)) == ({}, TRIES_MAX) and sum(waits) < 5
    waits.clear()
    client.conflicts = TRIES_MAX - 1
    store.write({"a": "1"})
    assert (client.entries, len(waits)) == ({"a": "1"}, TRIES_MAX - 1)


@pytest.mark.parametrize(("code", "status"), [("PreconditionFailed", 412), ("ConflictException", 409), ("Full", 402)])
def test_what_is_a_conflict(store, client, waits, code, status):
    write, refusals, is_conflict = client.update_keys, [refusal(code, status, "UpdateKeys")], status != 402

    def first_refused(**asked):
        if refusals:
            raise refusals.pop()
        return write(**asked)

    client.update_keys = first_refused
    with nullcontext() if is_conflict else pytest.raises(StoreUnavailable, match="Full"):
        store.write({"a": "1"})
    assert (client.entries, len(waits)) == (({"a": "1"}, 1) if is_conflict else ({}, 0))


def test_entries_are_swept_in_bounded_writes_and_nothing_else_is(store, client):
    now_ms = 1_800_000_000_000
    old = {f"session/{new_session_id()}": f"kicked {now_ms - SESSION_ENTRY_MS - 1}" for _ in range(120)}
    kept = {"key/p1": "x", "stream/s": "stream_paused", "session/young": f"kicked {now_ms}", "session/odd": "kicked"}
    client.entries.update({**old, **kept})
    assert (KeyValueDenylist(store).sweep(now_ms), client.entries) == (120, kept)
    assert client.writes == -(-120 // KEYS_PER_WRITE_MAX)


def test_a_sweep_looks_at_so_many(store, client, monkeypatch):
    monkeypatch.setattr(keyvalue_denylist, "LISTED_MAX", 60)
    client.entries.update({f"session/{number:03}": "kicked 1" for number in range(100)})
    assert [KeyValueDenylist(store).sweep(1_800_000_000_000) for _ in range(3)] == [60, 40, 0]


def test_a_full_denylist_takes_streams_only_and_what_is_said_already_is_not_written(store, client):
    denylist = KeyValueDenylist(store)
    client.pretended_count = ENTRIES_MAX
    with pytest.raises(StoreUnavailable, match="full"):
        denylist.deny_session(new_session_id(), EndReason.KICKED)
    for _ in range(3):
        denylist.deny_stream("stream-1", EndReason.STREAM_PAUSED)
        denylist.allow_stream("stream-2")
    assert client.writes == 1
    client.entries["session/old"] = "kicked 1"
    denylist.deny_session(new_session_id(), EndReason.KICKED)
    assert "session/old" not in client.entries


def test_exactly_one_denylist_is_chosen(monkeypatch):
    environ = service_environment("unit")
    in_files = {**environ, "TOLLCAST_DENYLIST_DIR": "/denylist"}
    with pytest.raises(ConfigError, match="TOLLCAST_DENYLIST_DIR and TOLLCAST_DENYLIST_STORE"):
        load({**in_files, "TOLLCAST_DENYLIST_STORE": ARN})
    with pytest.raises(ConfigError, match="TOLLCAST_DENYLIST_STORE is 'x'"):
        load({**environ, "TOLLCAST_DENYLIST_STORE": "x"})
    settings = load({**environ, "TOLLCAST_DENYLIST_STORE": ARN})
    monkeypatch.setattr(config, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="awscrt"):
        bootstrap.Container(settings).stores.denylist  # noqa: B018
    monkeypatch.setattr(config, "find_spec", lambda _: object())
    chosen = (settings, load(environ), load(in_files))
    kinds = [type(bootstrap.Container(each).stores.denylist).__name__ for each in chosen]
    assert kinds == ["KeyValueDenylist", "NoDenylist", "FileDenylist"]
