"""Settlement of sessions, debts and reserves, as viewers and operators see them."""

import json
from pathlib import Path

import pytest

from chalicelib.domain.ids import new_session_id
from chalicelib.domain.money.usage import Served
from player.statement.reader import read_statement
from player.statement.verification import verify
from tests.http.conftest import Api, assert_problem
from tests.http.money.test_reconciling import adjust, make_due, row_of, serve

# A session pays 1,000 points a second and stops at once, so that its lease of 10 s is nearly all unserved.
RATE = 60_000_000


@pytest.fixture(autouse=True)
def log_is_followed(api: Api) -> None:
    api.services.stores.usage.mark("gw", api.services.stores.clock.now_ms() + 3_600_000)


def settled(api: Api, headers: dict[str, str], session_id: str, media_ms: int) -> dict[str, object]:
    """Let the session be served and settled, and return it."""
    serve(api, session_id, Served(media_ms=media_ms, media_bytes=1, segments=max(1, media_ms // 2_000), requests=1))
    make_due(api, session_id)
    assert api.services.reconciliation.run().settled >= 1
    return dict(api.get(headers, f"/me/sessions/{session_id}"))


def test_a_stop_keeps_a_reserve_and_the_settlement_returns_what_was_not_fetched(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer(100_000_000)
    session_id = api.watch(viewer, rate_millipoints_per_minute=RATE)
    end = api.end(viewer, session_id)
    assert end["reserved_millipoints"] == 8_000_000
    assert end["charged_millipoints"] + end["refunded_millipoints"] == 10_000_000
    assert api.end(viewer, session_id)["reserved_millipoints"] == 8_000_000
    before = api.get(viewer, f"/me/sessions/{session_id}")
    assert (before["settled_at_ms"], before["settled_millipoints"]) == (None, None)

    after = settled(api, viewer, session_id, media_ms=4_000)
    paid_ms = end["charged_millipoints"] // 1_000
    assert after["settled_ms"] == 4_000 - paid_ms
    assert after["settled_millipoints"] == end["charged_millipoints"] - 4_000_000
    assert after["charged_millipoints"] == 4_000_000 and after["settled_debt_millipoints"] == 0
    assert api.get(viewer, "/me/wallet")["balance_millipoints"] == 96_000_000
    kinds = [line["kind"] for line in api.get(viewer, f"/me/sessions/{session_id}/ledger")["items"]]
    assert kinds == ["lease", "refund", "unserved_credit"]
    row = row_of(api, admin, session_id)
    assert row and (row["reason"], row["unserved_credit_millipoints"]) == ("ok", after["settled_millipoints"])
    # An operator's kick keeps nothing.
    kicked = api.watch(viewer, rate_millipoints_per_minute=RATE)
    assert api.end(admin, kicked, "kick", reason="")["reserved_millipoints"] == 0


def test_a_session_is_settled_once_whatever_runs_again(api: Api) -> None:
    admin, viewer = api.admin(), api.viewer(100_000_000)
    session_id = api.watch(viewer, rate_millipoints_per_minute=RATE)
    api.end(viewer, session_id)
    after = settled(api, viewer, session_id, media_ms=9_500)
    assert after["charged_millipoints"] == 9_500_000
    # An adjustment makes it due again.
    assert adjust(api, admin, session_id, 500_000).status_code == 200
    api.services.reconciliation.run()
    assert api.get(viewer, f"/me/sessions/{session_id}")["settled_at_ms"] == after["settled_at_ms"]
    lines = api.get(viewer, f"/me/sessions/{session_id}/ledger")["items"]
    assert [line["kind"] for line in lines] == ["lease", "refund", "served_ahead", "adjustment"]


def test_a_debt_is_paid_by_the_next_start_or_refuses_it(api: Api, tmp_path: Path) -> None:
    user = api.user(millipoints=10_000_000)
    viewer, admin = api.login(user), api.admin()
    session_id = api.watch(viewer, rate_millipoints_per_minute=RATE)
    refunded = api.end(viewer, session_id)["refunded_millipoints"]
    # All that came back is spent before the settlement.
    take = {"payment_id": new_session_id(), "millipoints": -refunded, "note": ""}
    assert api.http.post(f"/wallets/{user.user_id}/credit", json=take, headers=admin).status_code == 200
    after = settled(api, viewer, session_id, media_ms=12_000)
    debt = 12_000_000 - (10_000_000 - refunded)
    assert (after["settled_debt_millipoints"], after["settled_millipoints"]) == (debt, -debt)
    wallet = api.get(viewer, "/me/wallet")
    assert (wallet["balance_millipoints"], wallet["debt_millipoints"]) == (0, debt)
    assert api.get(admin, f"/wallets/{user.user_id}")["debt_millipoints"] == debt

    stream_id = api.live_stream(rate_millipoints_per_minute=RATE)
    api.credit(user, debt - 1)
    problem = assert_problem(api.start(viewer, stream_id), 402, "debt_open")
    assert (problem["debt_millipoints"], problem["balance_millipoints"]) == (debt, debt - 1)
    assert api.get(viewer, "/me/wallet")["balance_millipoints"] == debt - 1
    # A free stream starts in spite of it.
    assert api.start(viewer, api.live_stream(rate_millipoints_per_minute=0)).status_code == 201

    api.credit(user, 1 + 5_000_000)
    started = api.start(viewer, stream_id)
    assert started.status_code == 201, started.text
    wallet = api.get(viewer, "/me/wallet")
    assert (wallet["balance_millipoints"], wallet["debt_millipoints"]) == (0, 0)
    newest = api.get(viewer, "/me/ledger", limit=2)["items"]
    assert [(line["kind"], line["delta_millipoints"]) for line in newest] == [
        ("lease", -5_000_000),
        ("debt_payment", -debt),
    ]
    statement = tmp_path / "statement.json"
    statement.write_text(json.dumps(api.get(viewer, "/me/ledger/export")))
    assert verify(read_statement(statement))
