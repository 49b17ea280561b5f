"""The list of payments: filters, order and pages, the same in memory and in the store."""

from itertools import product

import pytest

from chalicelib.domain.errors import WrongCursor
from chalicelib.domain.money.lists import PaymentFilter
from chalicelib.domain.money.wallets import Payment, reversed_payment
from chalicelib.ports.common import all_items

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
USERS = ["u_" + letter * 20 for letter in "ab"]
# Id, user, source, hours before now.
PAYMENTS = [
    ("shop-1", 0, "shop", 3_000),
    ("shop-2", 1, "shop", 1_500),
    ("x", 0, "operator", 900),
    ("order:1", 0, "operator", 30),
    ("Shop-3", 0, "shop", 20),
    ("shop-10", 0, "bank", 10),
    ("shop-11", 1, "shop", 10),
]
NEWEST = ["shop-11", "shop-10", "Shop-3", "order:1", "x", "shop-2", "shop-1"]


def pay(stores, payment_id, user, source, at_ms):
    named = {"payment_id": payment_id, "user_id": USERS[user], "source": source}
    payment = Payment(**named, millipoints=1_000, note="", by_user_id="u_x", at_ms=at_ms)
    assert stores.wallets.pay(payment)
    return payment


@pytest.fixture
def filled(stores):
    for user_id in USERS:
        stores.wallets.create(user_id)
    for payment_id, user, source, hours in PAYMENTS:
        pay(stores, payment_id, user, source, NOW_MS - hours * HOUR_MS)
    return stores


def ids(stores, limit=50, **wanted):
    found = all_items(stores.payment_lists.page, PaymentFilter(**wanted), NOW_MS, limit=limit)
    return [payment.payment_id for payment in found]


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_payments_are_newest_first_and_searches_by_id_whatever_the_page(filled, limit):
    assert ids(filled, limit) == NEWEST
    assert ids(filled, limit, user_id=USERS[1]) == ["shop-11", "shop-2"]
    assert ids(filled, limit, source="shop") == ["shop-11", "Shop-3", "shop-2", "shop-1"]
    assert ids(filled, limit, begins="shop-1") == ["shop-1", "shop-10", "shop-11"]
    assert ids(filled, limit, begins="sh") == ["shop-1", "shop-10", "shop-11", "shop-2"]


def test_every_combination_of_filters_gives_what_fits(filled):
    times = [(None, None), (NOW_MS - 900 * HOUR_MS, NOW_MS - 10 * HOUR_MS), (NOW_MS - 20 * HOUR_MS, None)]
    for user_id, source, begins, (from_ms, to_ms) in product(
        (None, *USERS), (None, "shop", "bank", "no one"), (None, "shop", "order:1", "zz"), times
    ):
        wanted = {"user_id": user_id, "source": source, "begins": begins, "from_ms": from_ms, "to_ms": to_ms}
        kept = PaymentFilter(**wanted)
        fitting = [each for each in NEWEST if kept.fits(filled.payments.get(each))]
        assert ids(filled, 2, **wanted) == (sorted(fitting) if kept.is_by_id else fitting), wanted


def test_a_reversed_payment_keeps_its_place(filled):
    payment = filled.payments.get("Shop-3")
    assert filled.wallets.reverse(reversed_payment(payment, 1_000, NOW_MS, "u_x", "back"))
    [listed] = filled.payment_lists.page(PaymentFilter(begins="Shop"), NOW_MS, limit=9, cursor=None).items
    assert (listed.reversed_millipoints, listed.reversal_note) == (1_000, "back")
    assert ids(filled) == NEWEST


def test_filters_beside_the_index_are_bounded_and_go_on(module_settings, monkeypatch):
    from chalicelib.adapters.money import dynamodb_payment_lists as lists
    from chalicelib.stores import Stores

    stores = Stores(module_settings)
    stores.wallets.create(USERS[0])
    for number in range(9):
        pay(stores, f"many-{number}", 0, "bank" if number == 8 else "shop", NOW_MS - 1_000 + number)
    monkeypatch.setattr(lists, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(lists, "ROWS_MAX", 4)
    wanted, cursor, pages = PaymentFilter(begins="many", source="bank"), None, []
    while cursor or not pages:
        page = stores.payment_lists.page(wanted, NOW_MS, limit=1, cursor=cursor)
        pages.append([payment.payment_id for payment in page.items])
        cursor = page.next_cursor
    assert [each for page in pages for each in page] == ["many-8"] and len(pages) > 1


def test_cursors_of_another_form_are_refused(module_settings):
    from chalicelib.adapters.dynamodb import to_cursor
    from chalicelib.stores import Stores

    lists = Stores(module_settings).payment_lists
    for position in ([0], 7, "a b", {"payment_id": "a"}):
        for wanted in (PaymentFilter(), PaymentFilter(user_id="u"), PaymentFilter(begins="sh")):
            with pytest.raises(WrongCursor):
                lists.page(wanted, NOW_MS, limit=1, cursor=to_cursor(position))
