"""Versions of streams and accounts: what an edit of an older version is refused with."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.api.etags import versions_of
from chalicelib.domain.accounts.users import Role, User, check_user_version, edited
from chalicelib.domain.errors import ChangedMeanwhile, Invalid
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.ladders import Rendition
from chalicelib.domain.streams.stream import DesiredState, Stream
from chalicelib.domain.streams.stream_versions import DERIVED, FIELDS, check_stream_version, next_version
from chalicelib.domain.versions import CHANGES_MAX

STREAM = Stream(stream_id="stream-1", title="A", ingest=Ingest(mode=IngestMode.TEST), ingest_key="hush")
USER = User(user_id="u_1", email="a@b", password_hash="hush", role=Role.VIEWER)


def edit(stream: Stream, **changes: Any) -> Stream:
    return next_version(stream, replace(stream, **changes))


def differing(stream: Stream, *expected: int) -> dict[str, tuple[Any, Any]] | None:
    with pytest.raises(ChangedMeanwhile) as refused:
        check_stream_version(stream, expected)
    assert refused.value.extra["version"] == stream.version
    found = refused.value.extra["differing"]
    return found if found is None else {each["field"]: (each["seen"], each["current"]) for each in found}


def test_the_current_version_and_any_are_accepted() -> None:
    changed = edit(STREAM, title="B")
    for expected in (None, {2}, {1, 2}):
        check_stream_version(changed, expected)


def test_fields_that_differ_have_the_value_of_the_seen_version_and_the_current_one() -> None:
    stream = edit(edit(edit(STREAM, title="B"), title="C", viewers_max=3), desired_state=DesiredState.LIVE)
    assert differing(stream, 1) == {
        "title": ("A", "C"),
        "viewers_max": (0, 3),
        "desired_state": ("stopped", "live"),
    }
    assert differing(stream, 2) == {"title": ("B", "C"), "viewers_max": (0, 3), "desired_state": ("stopped", "live")}
    assert differing(stream, 3) == {"desired_state": ("stopped", "live")}
    assert differing(stream, 1, 3) == {"desired_state": ("stopped", "live")}, "the newest that was named"
    # What was changed back does not differ; the version does.
    assert differing(edit(edit(STREAM, title="B"), title="A"), 1) == {}


def test_unknown_versions_differ_in_unknown_fields() -> None:
    stream = STREAM
    for n in range(CHANGES_MAX + 3):
        stream = edit(stream, title=f"Title {n}")
    assert len(stream.changes) == CHANGES_MAX
    oldest = stream.version - CHANGES_MAX
    assert differing(stream, oldest) == {"title": ("Title 2", "Title 12")}
    for expected in ((oldest - 1,), (1,), (0,), (stream.version + 1,), ()):
        assert differing(stream, *expected) is None


def test_no_secret_is_kept_or_shown() -> None:
    secret = Ingest(mode=IngestMode.PULL, url="https://me:hush@example.org/hush?hush=1")
    stream = edit(edit(STREAM, ingest=secret, backups=(secret,), ingest_key="hush 2"), ingest_key="hush 3")
    found = differing(edit(stream, ingest=replace(secret, url=f"{secret.url}2"), backups=()), 2)
    hidden = {"mode": "pull", "url": "https://example.org/hidden"}
    assert found == {
        "ingest": (hidden, hidden),
        "backups": ([hidden], []),
        "ingest_key": ("hidden", "hidden"),
    }
    assert "hush" not in str((stream.changes, found))
    user = edited(USER, password_hash="hush 2")
    with pytest.raises(ChangedMeanwhile) as refused:
        check_user_version(user, {1})
    assert refused.value.extra["differing"] == [{"field": "password", "seen": "hidden", "current": "hidden"}]
    assert "hush" not in str((user.changes, refused.value, refused.value.extra))


def test_every_field_that_can_be_changed_is_compared() -> None:
    """A new field is compared without further work, and what is kept of it can be stored."""
    other: dict[str, Any] = {
        "ingest": Ingest(mode=IngestMode.FILE, path="x"),
        "backups": (Ingest(mode=IngestMode.TEST),),
        "custom_renditions": (Rendition(name="a"),),
    }
    for name in FIELDS:
        value = getattr(STREAM, name)
        new = other.get(name, not value if isinstance(value, bool) else f"{value}0" if isinstance(value, str) else 99)
        assert [*(differing(edit(STREAM, **{name: new}), 1) or {})] == [name]
    assert set(FIELDS).isdisjoint(DERIVED) and "title" in FIELDS


def test_an_account_has_a_new_version_where_a_field_differs() -> None:
    assert edited(USER, role="viewer", disabled=False) is USER
    finance = edited(USER, role="finance")
    assert (finance.version, finance.role) == (2, Role.FINANCE)
    disabled = edited(finance, disabled=True, role="finance")
    with pytest.raises(ChangedMeanwhile) as refused:
        check_user_version(disabled, {1})
    assert refused.value.extra["differing"] == [
        {"field": "disabled", "seen": False, "current": True},
        {"field": "role", "seen": "viewer", "current": "finance"},
    ]


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (None, None),
        ("*", None),
        (' "7.d0c1" ', {7}),
        ('W/"7.d0c1"', {7}),
        ('"7"', {7}),
        ('"7.d0c1", "8" ,W/"9.0"', {7, 8, 9}),
        ('"d0c1"', set()),
        ('"7.x", ""', set()),
        ('"1234567890123456"', set()),
    ],
)
def test_the_header_names_versions(header: str | None, versions: set[int] | None) -> None:
    assert versions_of(header) == versions


@pytest.mark.parametrize("header", ["", "7", '"7', '"7" "8"', "W/7", '*, "7"', '"7",'])
def test_a_header_of_another_form_is_rejected(header: str) -> None:
    with pytest.raises(Invalid, match="If-Match"):
        versions_of(header)
