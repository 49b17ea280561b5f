"""The list of accounts: order, filters and pages, the same in memory and in the store."""

import random

import pytest

from chalicelib.domain.accounts.users import Role, User, UserFilter
from chalicelib.domain.errors import WrongCursor
from chalicelib.ports.common import all_items

EMAILS = [
    "zoe@x",
    "Anna@x",
    "annabel@x",
    "7up@x",
    "{brace@x",
    "_low@x",
    "ümit@x",
    "#1@x",
    "moritz@x",
    "max@x",
    "Émile@x",
]


def add(stores, email, role=Role.VIEWER, disabled=False):
    user_id = "u_" + "".join(random.choices("abcdefghij", k=20))
    user = User(user_id=user_id, email=email, password_hash="h", role=role, disabled=disabled, created_at_ms=7)
    stores.users.add(user)
    return user


def emails(stores, limit=50, **wanted):
    return [user.email for user in all_items(stores.users.list, UserFilter(**wanted), limit=limit)]


@pytest.fixture
def filled(stores):
    for email in EMAILS:
        add(stores, email)
    add(stores, "mona@x", Role.OPERATOR)
    add(stores, "mark@x", Role.FINANCE, disabled=True)
    add(stores, "mara@x", disabled=True)
    add(stores, "root@x", Role.ADMIN)
    return stores


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_accounts_are_in_the_order_of_their_emails_whatever_the_page(filled, limit):
    everyone = [*EMAILS, "mona@x", "mark@x", "mara@x", "root@x"]
    assert emails(filled, limit) == sorted(everyone, key=str.lower)
    assert emails(filled, limit, begins="M") == ["mara@x", "mark@x", "max@x", "mona@x", "moritz@x"]


def test_filters_narrow_each_other(filled):
    assert emails(filled, begins="anna") == ["Anna@x", "annabel@x"]
    assert emails(filled, begins="ANNAB") == ["annabel@x"]
    assert emails(filled, begins="É") == ["Émile@x"]
    assert emails(filled, role=Role.OPERATOR) == ["mona@x"]
    assert emails(filled, role=Role.VIEWER, disabled=True) == ["mara@x"]
    assert emails(filled, disabled=True) == ["mara@x", "mark@x"]
    assert emails(filled, disabled=True, begins="mark") == ["mark@x"]
    assert emails(filled, role=Role.ADMIN, disabled=True) == []
    assert emails(filled, begins="unknown") == []


def test_a_listed_account_has_what_is_shown_and_no_more(filled):
    [user] = filled.users.list(UserFilter(begins="zoe"), limit=9, cursor=None).items
    assert vars(user).keys() == {"user_id", "email", "role", "disabled", "created_at_ms"}
    assert (user.role, user.disabled, user.created_at_ms) == (Role.VIEWER, False, 7)


def test_a_changed_account_moves_and_an_erased_one_goes(stores):
    user = add(stores, "kim@x")
    stores.users.change(user.user_id, role=Role.OPERATOR.value)
    assert (emails(stores, role=Role.OPERATOR), emails(stores, role=Role.VIEWER)) == (["kim@x"], [])
    stores.users.change(user.user_id, role=Role.VIEWER.value)
    changed = stores.users.change(user.user_id, disabled=True)
    assert (emails(stores, disabled=True), emails(stores, disabled=False)) == (["kim@x"], [])
    stores.users.erase(changed, 9)
    assert emails(stores) == []


def test_a_cursor_of_another_form_is_refused(module_settings):
    from chalicelib.adapters.dynamodb import to_cursor
    from chalicelib.stores import Stores

    for position in (["a"], {"user_id": "u"}, 7, "no email", "x" * 500 + "@y"):
        with pytest.raises(WrongCursor):
            Stores(module_settings).users.list(UserFilter(), limit=1, cursor=to_cursor(position))
