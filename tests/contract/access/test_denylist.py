"""The contract of denylists: the fake, files and a KeyValueStore keep it."""

import os
import time

import pytest

from chalicelib.adapters import aws
from chalicelib.adapters.access.file_denylist import SESSION_ENTRY_MS, FileDenylist
from chalicelib.adapters.access.keyvalue_denylist import KeyValueDenylist
from chalicelib.adapters.access.keyvalue_store import KeyValueStore
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id
from chalicelib.ports.common import StoreUnavailable
from tests.fakes.access.denylist import FakeDenylist
from tests.fakes.access.keyvalue import MemoryKeyValueClient


class AtTheEdge(KeyValueDenylist):
    """A denylist and the entries that CloudFront's function finds."""

    def __init__(self):
        self.at_edge = KeyValueStore("arn")
        super().__init__(self.at_edge)

    def reason(self, session_id, stream_id):
        values = (self.at_edge.get(f"session/{session_id}"), self.at_edge.get(f"stream/{stream_id}"))
        return next((EndReason(value.split(" ")[0]) for value in values if value), None)


@pytest.fixture(params=["fake", "files", "keys"])
def denylist(request, tmp_path, monkeypatch):
    monkeypatch.setitem(aws.clients, "cloudfront-keyvaluestore", MemoryKeyValueClient())
    kinds = {"fake": FakeDenylist, "files": lambda: FileDenylist(tmp_path / "deny list"), "keys": AtTheEdge}
    return kinds[request.param]()


def now_ms():
    return int(time.time() * 1000)


def test_a_session_is_denied_with_its_reason_and_the_last_one_counts(denylist):
    assert denylist.reason(new_session_id(), "stream-1") is None
    assert denylist.sweep(now_ms()) == 0
    session = new_session_id()
    denylist.deny_session(session, EndReason.SUPERSEDED)
    denylist.deny_session(session, EndReason.KICKED)
    assert denylist.reason(session, "stream-1") is EndReason.KICKED
    assert denylist.reason(new_session_id(), "stream-1") is None


def test_a_stream_is_denied_until_it_is_allowed(denylist):
    denylist.allow_stream("stream-1")
    denylist.deny_stream("stream-1", EndReason.STREAM_PAUSED)
    assert denylist.reason(new_session_id(), "stream-1") is EndReason.STREAM_PAUSED
    assert denylist.reason(new_session_id(), "stream-2") is None
    denylist.allow_stream("stream-1")
    assert denylist.reason(new_session_id(), "stream-1") is None


def test_sweeping_drops_old_sessions_and_keeps_streams(denylist):
    session = new_session_id()
    denylist.deny_session(session, EndReason.KICKED)
    denylist.deny_stream("stream-1", EndReason.STREAM_STOPPED)
    assert denylist.sweep(now_ms() + SESSION_ENTRY_MS - 10_000) == 0
    assert denylist.sweep(now_ms() + SESSION_ENTRY_MS + 1_000) == 1
    assert denylist.reason(session, None) is None
    assert denylist.reason(session, "stream-1") is EndReason.STREAM_STOPPED


@pytest.mark.parametrize("name", ["", "../x", "a/b", "A" * 26])
def test_strange_names_are_refused(denylist, name):
    with pytest.raises(ValueError):
        denylist.deny_session(name, EndReason.KICKED)
    with pytest.raises(ValueError):
        denylist.deny_stream(name, EndReason.STREAM_PAUSED)


def files_of(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_files_lie_where_the_gateway_looks(tmp_path):
    denylist, session = FileDenylist(tmp_path), new_session_id()
    denylist.prepare()
    denylist.deny_session(session, EndReason.KICKED)
    denylist.deny_stream("stream-1", EndReason.STREAM_PAUSED)
    kept = {"sessions/.kept", "streams/.kept", "streams/stream-1"}
    assert files_of(tmp_path) == kept | {f"sessions/{session}"}
    assert denylist.sweep(now_ms() + SESSION_ENTRY_MS + 60_000) == 1
    assert files_of(tmp_path) == kept, "markers are not swept"


def test_a_directory_that_cannot_be_read_is_reported(tmp_path, monkeypatch):
    denylist = FileDenylist(tmp_path)
    denylist.prepare()

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, refuse)
    with pytest.raises(StoreUnavailable):
        denylist.sweep(now_ms())


def test_a_directory_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "sessions").write_text("in the way")
    with pytest.raises(StoreUnavailable):
        FileDenylist(tmp_path).prepare()
    with pytest.raises(StoreUnavailable):
        FileDenylist(tmp_path).deny_session(new_session_id(), EndReason.KICKED)
