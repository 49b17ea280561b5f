"""The timeline of a user over both stores: each event once, newest first, whatever the pages."""

import random
from dataclasses import replace
from itertools import islice

import pytest

from chalicelib.domain.access.clients import Client, login_key
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.errors import UserNotFound, WrongCursor
from chalicelib.domain.ids import new_session_id, new_token_id, new_user_id
from chalicelib.domain.money.lease import Closing
from chalicelib.domain.operations.audit import Action, AuditEntry, audit_id_of
from chalicelib.domain.timeline import EventKind
from chalicelib.ports.common import all_items
from chalicelib.services.accounts import timeline
from chalicelib.services.accounts.timeline import Timelines
from chalicelib.stores import Stores
from tests.contract.money.wallet_parts import NOW, SESSIONS_MAX, payment, record_of
from tests.fakes.money.sessions import active_session
from tests.fakes.simple import SetClock

HOME = Client(ip="192.0.2.1", user_agent="mpv")


@pytest.fixture
def timelines(money: Stores) -> Timelines:
    return Timelines(
        users=money.users,
        sessions=money.sessions,
        payments=money.payments,
        clients=money.clients,
        audit_log=money.audit_log,
        clock=SetClock(NOW + 60_000),
    )


def a_user(money: Stores) -> str:
    user_id = new_user_id()
    money.users.add(User(user_id=user_id, email=f"{user_id}@local", password_hash="", role=Role.VIEWER))
    money.wallets.create(user_id)
    money.wallets.begin_day(user_id, NOW // 86_400_000)
    return user_id


def happen(money: Stores, user_id: str, kind: EventKind, at_ms: int) -> str:
    """Let something happen, and return the id of the event."""
    match kind:
        case EventKind.SESSION:
            session = active_session(at_ms, session_id=new_session_id())
            record = replace(record_of(user_id, session), started_at_ms=at_ms)
            money.wallets.start(user_id, session, record, SESSIONS_MAX, 0)
            money.wallets.end(user_id, session, EndReason.KICKED, Closing(refund_millipoints=0, watched_ms=1), at_ms)
            trim(money, user_id)
            return session.session_id
        case EventKind.PAYMENT:
            paid = replace(payment(user_id, 20_000), at_ms=at_ms)
            assert money.wallets.pay(paid)
            trim(money, user_id)
            return paid.payment_id
        case EventKind.LOGIN:
            key = login_key(at_ms, new_token_id())
            money.clients.put(key, user_id, HOME, at_ms)
            return key.removeprefix("login.")
    action = Action(name="user.edit", target=user_id, user_id=user_id)
    entry = AuditEntry(audit_id=audit_id_of(at_ms, new_token_id()), at_ms=at_ms, by_user_id="u_x", action=action)
    money.audit_log.add(entry)
    return entry.audit_id


def trim(money: Stores, user_id: str) -> None:
    wallet = money.wallets.get(user_id)
    assert wallet is not None
    money.wallets.trim(user_id, [entry.entry_id for entry in wallet.journal])


def test_each_event_is_listed_once_newest_first_in_pages_of_any_size(
    money: Stores, timelines: Timelines, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that reads end within a moment.
    monkeypatch.setattr(timeline, "SAME_MOMENT", 1)
    seed = random.randrange(2**32)
    chance, user_id, other = random.Random(seed), a_user(money), a_user(money)
    happened: set[tuple[int, str, str]] = set()
    for user in (user_id, other):
        happen(money, user, EventKind.PAYMENT, NOW)
        happen(money, user, EventKind.PAYMENT, NOW)
    before = {event.place for event in timelines.page(user_id, limit=10, cursor=None).items}
    for n in range(28):
        # Few moments, so that many events share one, also of the same kind: first, eight payments of two moments.
        kind = EventKind.PAYMENT if n < 8 else chance.choice(list(EventKind))
        at_ms = NOW + (n % 2 if n < 8 else chance.randrange(5))
        happened.add((at_ms, kind.value, happen(money, user_id, kind, at_ms)))
        happen(money, other, EventKind.PAYMENT, at_ms)
    # Other rows of the table of addresses are no logins.
    money.clients.put("start.x" + user_id, user_id, HOME, NOW)
    wanted = sorted(happened | before, reverse=True)
    for limit in (1, 4, 50):
        # One more than wanted, so that pages without an end are noticed.
        events = list(islice(all_items(timelines.page, user_id, limit=limit), len(wanted) + 1))
        assert [event.place for event in events] == wanted, f"seed {seed}, pages of {limit}"
    for event in events:
        assert [event.session, event.payment, event.login, event.act].count(None) == 3
    assert {event.login.client for event in events if event.login} <= {HOME}


def test_events_that_come_later_do_not_move_what_follows_a_page(money: Stores, timelines: Timelines) -> None:
    user_id = a_user(money)
    first, second = (happen(money, user_id, EventKind.PAYMENT, NOW + n) for n in (1, 2))
    page = timelines.page(user_id, limit=1, cursor=None)
    assert [event.event_id for event in page.items] == [second] and page.next_cursor
    happen(money, user_id, EventKind.LOGIN, NOW + 3)
    assert [e.event_id for e in timelines.page(user_id, limit=5, cursor=page.next_cursor).items] == [first]


def test_an_unknown_user_and_a_wrong_cursor_are_refused(money: Stores, timelines: Timelines) -> None:
    with pytest.raises(UserNotFound):
        timelines.page(new_user_id(), limit=1, cursor=None)
    user_id = a_user(money)
    for cursor in ("x", "1.payment", "1.unknown.x", "1.payment.", "99999999999999.payment.x", "1.payment.x\n"):
        with pytest.raises(WrongCursor):
            timelines.page(user_id, limit=1, cursor=cursor)
