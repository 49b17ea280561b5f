"""Money totals as finance sees them."""

from typing import Any

import pytest

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import from_row
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.usage import Served
from chalicelib.ports.common import all_items
from infra.migrations import m0008_totals
from tests.http.conftest import Api, assert_problem
from tests.http.money.test_reconciling import adjust, make_due, serve, today
from tests.http.money.test_settling import RATE, log_is_followed  # noqa: F401 (a fixture)


def balances(api: Api) -> int:
    """The sum of all lines of all ledgers of the stage, which is also that of all balances."""
    prefix = api.services.settings.table_prefix
    wallets = [from_row(row) for row in client("dynamodb").scan(TableName=prefix + "wallets")["Items"]]
    lines = [
        entry.delta_millipoints
        for wallet in wallets
        for entry in all_items(api.services.ledger.entries, wallet["user_id"], limit=100)
    ]
    assert sum(lines) == sum(wallet["balance_millipoints"] for wallet in wallets)
    return sum(lines)


def totals(api: Api, **params: str) -> dict[str, Any]:
    headers = api.login(api.user(Role.FINANCE))
    return dict(api.get(headers, "/money/totals", **params))


def pay(api: Api, user_id: str, millipoints: int, payment_id: str = "") -> None:
    body = {"payment_id": payment_id or new_session_id(), "millipoints": millipoints, "note": ""}
    paid = api.http.post(f"/wallets/{user_id}/credit", json=body, headers=api.admin())
    assert paid.status_code == 200, paid.text


@pytest.mark.usefixtures("log_is_followed")
def test_the_totals_are_the_ledgers_to_the_millipoint(api: Api) -> None:
    admin, user, payment_id = api.admin(), api.user(), new_session_id()
    viewer = api.login(user)
    pay(api, user.user_id, 10_000_000, payment_id)
    first = api.watch(viewer, rate_millipoints_per_minute=RATE)
    refunded = api.end(viewer, first)["refunded_millipoints"]
    # What came back is taken, so that the settlement makes a debt, which the next start pays.
    pay(api, user.user_id, -refunded)
    serve_and_reconcile(api, first, 12_000)
    pay(api, user.user_id, 90_000_000)
    second = api.watch(viewer, rate_millipoints_per_minute=RATE)
    api.end(viewer, second)
    serve_and_reconcile(api, second, 4_000)
    assert adjust(api, admin, second, 1_234_567).status_code == 200
    api.services.reconciliation.run()
    reversed_ = api.http.post(f"/payments/{payment_id}/reverse", json={}, headers=admin)
    assert reversed_.status_code == 200, reversed_.text

    found = totals(api)
    [day] = [each for each in found["periods"] if each["payments"]]
    assert (day["period"], day["is_over"], len(found["periods"])) == (today(api), False, 31)
    assert (found["total"]["sessions"], found["total"]["reversals"]) == (2, 1)
    assert found["total"]["debt_payment_millipoints"] == found["total"]["debt_millipoints"] > 0
    assert found["total"]["adjustment_millipoints"] == 1_234_567
    assert found["total"]["ledger_millipoints"] == balances(api)
    assert {name: day[name] for name in found["total"]} == found["total"]
    # One that is active counts at its end.
    active = api.watch(viewer, rate_millipoints_per_minute=RATE)
    [session] = api.get(viewer, "/me/wallet")["sessions"]
    assert totals(api) == found
    assert found["total"]["ledger_millipoints"] - session["charged_millipoints"] == balances(api)
    by_month = totals(api, by="month")
    assert (by_month["total"], len(by_month["periods"])) == (found["total"], 12)
    assert by_month["periods"][-1]["period"] == today(api)[:7]
    api.end(viewer, active)
    counted_before(api)


def serve_and_reconcile(api: Api, session_id: str, media_ms: int) -> None:
    serve(api, session_id, Served(media_ms=media_ms, media_bytes=1, segments=media_ms // 2_000, requests=1))
    make_due(api, session_id)
    assert api.services.reconciliation.run().settled >= 1


def counted_before(api: Api) -> None:
    """The migration counts rows from before the totals, once, also where it stops and runs again."""
    dynamodb, prefix = client("dynamodb"), api.services.settings.table_prefix
    before = totals(api)
    for row in dynamodb.scan(TableName=prefix + "totals")["Items"]:
        dynamodb.delete_item(TableName=prefix + "totals", Key={name: row[name] for name in ("month", "day_shard")})
    for table, keys in (("payments", ["payment_id"]), ("reconciliation", ["day", "session_id"])):
        for row in dynamodb.scan(TableName=prefix + table)["Items"]:
            dynamodb.update_item(
                TableName=prefix + table,
                Key={name: row[name] for name in keys},
                UpdateExpression="REMOVE counted, reversal_counted",
            )
    assert totals(api)["total"]["payments"] == 0
    for _ in range(2):
        m0008_totals.apply(api.services.settings)
        assert totals(api) == before
    # A session whose row was counted by the migration adds only what is new.
    for row in dynamodb.scan(TableName=prefix + "reconciliation")["Items"]:
        api.services.stores.reconciliations.make_due(from_row(row)["session_id"], 1)
    api.services.reconciliation.run()
    assert totals(api)["total"]["ledger_millipoints"] == before["total"]["ledger_millipoints"]


def test_a_range_that_is_not_allowed_names_its_field(api: Api) -> None:
    finance = api.login(api.user(Role.FINANCE))
    for params, field in (
        ({"from": "2026-02-30"}, "from"),
        ({"from": "2020-01-01"}, "from"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"by": "week"}, "by"),
        ({"from_day": "2026-02-01"}, "from_day"),
    ):
        problem = assert_problem(api.http.get("/money/totals", params=params, headers=finance), 400, "invalid_request")
        assert problem["errors"][0]["field"] == field, problem
    one = totals(api, **{"from": "2026-02-27", "to": "2026-03-01"})
    assert [each["period"] for each in one["periods"]] == ["2026-02-27", "2026-02-28", "2026-03-01"]
    assert (one["from_day"], one["to_day"], {each["is_over"] for each in one["periods"]}) == (
        "2026-02-27",
        "2026-03-01",
        {True},
    )
