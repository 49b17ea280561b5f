"""The list of sessions: filters, order and pages, the same in memory and in the store."""

from itertools import product

import pytest

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import WrongCursor
from chalicelib.domain.money.lease import Closing
from chalicelib.domain.money.lists import SessionFilter
from chalicelib.domain.money.wallets import MS_PER_DAY
from chalicelib.ports.common import all_items
from tests.fakes.money.sessions import active_session, session_record

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
CLOSING = Closing(refund_millipoints=0, watched_ms=1, reserved_millipoints=0, in_outage=False)
USERS = ["u_" + letter * 20 for letter in "ab"]
# Session, user, stream, start and end (hours before now), reason.
SESSIONS = [
    ("a", 0, "one", 200, 199, EndReason.KICKED),
    ("b", 0, "two", 100, 3, EndReason.VIEWER_STOPPED),
    ("c", 1, "one", 50, 49, EndReason.VIEWER_STOPPED),
    ("d", 1, "one", 30, 29, EndReason.LEASE_EXPIRED),
    ("e", 0, "one", 5, 4, EndReason.KICKED),
    ("f", 0, "one", 2, None, None),
    ("g", 1, "two", 90, None, None),
    ("h", 1, "one", 1, None, None),
]


def begin(stores, letter, user, stream_id, started_at_ms, shard=0):
    session_id, user_id = letter * 26, USERS[user]
    named = {"session_id": session_id, "stream_id": stream_id}
    session = active_session(started_at_ms, **named, charge_millipoints=0, charged_millipoints=0)
    record = session_record(started_at_ms, **named, user_id=user_id, due_shard=shard)
    stores.wallets.start(user_id, session, record, sessions_max=16, viewers_max=0)
    return session


@pytest.fixture
def filled(stores):
    for user_id in USERS:
        stores.wallets.create(user_id)
    for number, (letter, user, stream_id, started, ended, reason) in enumerate(SESSIONS):
        session = begin(stores, letter, user, stream_id, NOW_MS - started * HOUR_MS, number % 8)
        if reason is not None:
            stores.wallets.end(USERS[user], session, reason, CLOSING, NOW_MS - ended * HOUR_MS)
    return stores


def letters(stores, active, limit=50, **wanted):
    found = all_items(stores.session_lists.page, SessionFilter(active=active, **wanted), NOW_MS, limit=limit)
    return "".join(record.session_id[0] for record in found)


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_lists_are_newest_first_whatever_the_page(filled, limit):
    assert letters(filled, True, limit) == "hfg"
    # By their ends: `b` began long before `e`.
    assert letters(filled, False, limit) == "bedca"
    assert letters(filled, True, limit, stream_id="one") == "hf"
    # By their starts.
    assert letters(filled, False, limit, user_id=USERS[0]) == "eba"
    assert letters(filled, False, limit, stream_id="one") == "edca"


def test_every_combination_of_filters_gives_what_fits(filled):
    times = [(None, None), (NOW_MS - 49 * HOUR_MS, NOW_MS - 4 * HOUR_MS), (NOW_MS - 5 * HOUR_MS, None)]
    records = [filled.sessions.get(letter * 26) for letter, *_ in SESSIONS]
    streams, reasons = (None, "one", "two", "three"), (None, EndReason.KICKED, EndReason.VIEWER_STOPPED)
    for active, user_id, stream_id, reason, (from_ms, to_ms) in product(
        (True, False), (None, *USERS), streams, reasons, times
    ):
        if active and reason:
            continue
        wanted = {"user_id": user_id, "stream_id": stream_id, "end_reason": reason, "from_ms": from_ms, "to_ms": to_ms}
        kept = SessionFilter(active=active, **wanted)
        fitting = sorted((each for each in records if kept.fits(each)), key=kept.time_of, reverse=True)
        assert letters(filled, active, 2, **wanted) == "".join(each.session_id[0] for each in fitting), wanted


def test_a_time_is_included_at_its_beginning_and_not_at_its_end(filled):
    ended_at_ms = NOW_MS - 4 * HOUR_MS
    assert letters(filled, False, from_ms=ended_at_ms, to_ms=ended_at_ms + 1) == "e"
    assert letters(filled, False, from_ms=ended_at_ms - 1, to_ms=ended_at_ms) == ""
    started_at_ms = NOW_MS - 5 * HOUR_MS
    assert letters(filled, False, stream_id="one", from_ms=started_at_ms, to_ms=started_at_ms + 1) == "e"
    assert letters(filled, False, stream_id="one", from_ms=started_at_ms - 1, to_ms=started_at_ms) == ""


def test_sessions_of_the_same_millisecond_are_all_listed(stores):
    for user_id in USERS:
        stores.wallets.create(user_id)
    for letter in "abcdefg":
        session = begin(stores, letter, ord(letter) % 2, "one", NOW_MS, ord(letter) % 8)
        if letter > "c":
            reason = EndReason.KICKED if letter == "d" else EndReason.STREAM_STOPPED
            stores.wallets.end(USERS[ord(letter) % 2], session, reason, CLOSING, NOW_MS)
    assert [letters(stores, False, limit) for limit in (1, 2, 3, 4)] == ["gfed"] * 4
    assert [letters(stores, True, limit) for limit in (1, 2, 3)] == ["cba"] * 3


def test_a_request_is_bounded_and_its_cursor_goes_on(module_settings, monkeypatch):
    from chalicelib.adapters import ordered_index
    from chalicelib.stores import Stores

    stores = Stores(module_settings)
    stores.wallets.create(USERS[0])
    session = begin(stores, "z", 0, "one", NOW_MS - 300 * MS_PER_DAY)
    stores.wallets.end(USERS[0], session, EndReason.KICKED, CLOSING, NOW_MS - 300 * MS_PER_DAY)
    monkeypatch.setattr(ordered_index, "QUERIES_MAX", 36)
    read, reads = ordered_index.all_rows, []
    monkeypatch.setattr(ordered_index, "all_rows", lambda *given: reads.append(given) or read(*given))
    wanted, cursor, pages = SessionFilter(active=False), None, []
    while cursor or not pages:
        reads.clear()
        page = stores.session_lists.page(wanted, NOW_MS, limit=5, cursor=cursor)
        pages.append([record.session_id[0] for record in page.items])
        cursor = page.next_cursor
        assert len(reads) <= 36
    # From January 2027 back to January 2026, four months for each request.
    assert pages == [[], [], ["z"], []]
    one = SessionFilter(active=False, end_reason=EndReason.KICKED, to_ms=10**13 - 1)
    assert len(stores.session_lists.page(one, NOW_MS, limit=5, cursor=None).items) == 1


def test_cursors_of_another_form_are_refused(module_settings):
    from chalicelib.adapters.dynamodb import to_cursor
    from chalicelib.stores import Stores

    lists = Stores(module_settings).session_lists
    for position in ([0, None], 7, "180000000000", "1800000000000.", {"session_id": "a"}):
        for active, user_id in ((True, None), (False, None), (True, "u")):
            wanted = SessionFilter(active=active, user_id=user_id)
            with pytest.raises(WrongCursor):
                lists.page(wanted, NOW_MS, limit=1, cursor=to_cursor(position))
