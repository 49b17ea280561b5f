"""Accounts, wallets, payments, keys, reconciliation and the audit log, by `tollcast-admin`."""

import re
from pathlib import Path

from chalicelib.domain.accounts.users import User
from tests.fixtures.waiting import eventually
from tests.http.conftest import Api
from tests.integration.admin.admin_harness import Admin

NEW_PASSWORD = "another long password"


def balance(api: Api, viewer: User) -> int:
    return api.services.stores.wallets.get(viewer.user_id).balance_millipoints


def test_an_account_from_its_creation_to_its_end(api: Api, admin: Admin) -> None:
    create = ("users", "create", "new@local", "--role", "finance", "--password-stdin")
    assert "finance" in admin.ok(*create, stdin=f"{NEW_PASSWORD}\n")
    assert admin.refused(*create, stdin=f"{NEW_PASSWORD}\n")[0] == 4
    assert admin.refused("users", "create", "other@local")[0] == 2, "without a terminal nothing is asked"
    listed = {each["email"]: each["role"] for each in admin.json("users", "list", "--json", "email,role")}
    assert listed["new@local"] == "finance" and "admin" in listed.values()
    assert "These are the first 1" in admin.ok("users", "list", "--limit", "1")
    (version,) = re.findall("Version: +(\\d+)", admin.ok("users", "show", "new@local"))
    assert "operator" in admin.ok("users", "edit", "new@local", "--role", "operator", "--if-version", version)
    status, text = admin.refused("users", "edit", "new@local", "--role", "admin", "--if-version", version)
    assert status == 4 and "role: finance → operator" in text
    assert admin.refused("users", "disable", "new@local")[0] == 2
    assert re.search("Disabled: +yes", admin.ok("users", "disable", "new@local", "--yes"))
    assert re.search("Disabled: +no", admin.ok("users", "enable", "new@local"))
    admin.ok("users", "reset-password", "new@local", "--password-stdin", stdin="a third long password\n")
    login = ("login", "--email", "new@local", "--password-stdin")
    assert admin.refused(*login, stdin=f"{NEW_PASSWORD}\n")[0] == 4
    assert "is erased" in admin.ok("users", "erase", "new@local", "--yes")
    status, text = admin.refused("wallets", "show", "new@local")
    assert status == 4 and "user_not_found" in text


def test_points_are_given_once_for_each_payment_id(api: Api, admin: Admin) -> None:
    viewer = api.user(millipoints=100_000)
    email = viewer.email
    give = ("wallets", "credit", email, "2.5", "--payment-id", "gift-1", "--note", "welcome")
    assert "102.500 points" in admin.ok(*give) and "102.500 points" in admin.ok(*give)
    assert balance(api, viewer) == 102_500
    status, text = admin.refused(*give[:3], "3", *give[4:])
    assert status == 4 and "payment_mismatch" in text
    assert "Taken" in admin.ok("wallets", "credit", email, "2", "--take")
    assert balance(api, viewer) == 100_500
    assert "gift-1: welcome" in admin.ok("wallets", "ledger", email)
    assert "operator" in admin.ok("payments", "show", "gift-1")
    assert admin.refused("payments", "reverse", "gift-1")[0] == 2
    assert re.search(r"Taken back: +2\.500 points", admin.ok("payments", "reverse", "gift-1", "--yes"))
    assert balance(api, viewer) == 98_000
    for amount in ("0", "-5", "1.2345", "many"):
        assert admin.refused("wallets", "credit", email, amount)[0] in (2, 4), amount
    assert balance(api, viewer) == 98_000


def test_an_empty_option_is_refused_and_pays_nothing(api: Api, admin: Admin) -> None:
    email = api.user().email
    for option in ("--payment-id", "--note", "--source"):
        for _ in range(2):
            status, text = admin.refused("wallets", "credit", email, "5", option, "")
            assert status == 2 and option in text and "It is empty. Give it a value, or leave it out." in text, text
    assert "0.000 points" in admin.ok("wallets", "show", email)
    assert admin.refused("sessions", "list", "--user", "")[0] == 2, "not the sessions of all users"
    for words in (
        ("users", "show", ""),
        ("streams", "show", ".."),
        ("users", "show", "."),
        ("wallets", "ledger", ".."),
    ):
        status, text = admin.refused(*words)
        assert status == 2 and ("is no id" in text or "It is empty." in text), text
    for words in (("receipt", ".."), ("receipt", ""), ("play", "")):
        done = admin.player(*words)
        assert done.exit_code == 2 and "Traceback" not in done.output, done.output


def test_accounts_and_payments_are_found(api: Api, admin: Admin) -> None:
    viewer = api.user()
    email = viewer.email
    found = admin.json("users", "list", email[:9], "--role", "viewer", "--enabled", "--json", "user_id")
    assert found == [{"user_id": viewer.user_id}]
    assert admin.ok("users", "list", email, "--disabled") == "There is no such account.\n"
    admin.ok("wallets", "credit", email, "5", "--payment-id", "acme:17", "--source", "acme")
    for words in (("--user", email), ("acme:",), ("--source", "acme", "--since", "1h")):
        assert "acme:17" in admin.ok("payments", "list", *words), words
    assert admin.ok("payments", "list", "--user", email, "--until", "2h") == "There is no such payment.\n"


def test_caps_and_statements(api: Api, admin: Admin, tmp_path: Path) -> None:
    email = api.user(millipoints=5_000).email
    assert "of 500.000 points a day" in admin.ok("wallets", "cap", email, "500")
    assert "no daily cap" in admin.ok("wallets", "cap", email, "none")
    assert admin.refused("wallets", "cap", email, "much")[0] == 2
    for name in ("bill.json", "bill.csv"):
        file = tmp_path / name
        assert "5.000 points" in admin.ok("wallets", "statement", email, str(file))
        assert admin.player("verify", str(file)).exit_code == 0
        assert admin.refused("wallets", "statement", email, str(file))[0] == 1, "it replaces nothing"
    assert admin.refused("wallets", "statement", email, "bill.pdf")[0] == 2


def test_a_wallet_and_its_sessions(api: Api, admin: Admin) -> None:
    viewer, stream_id = api.user(millipoints=100_000), api.live_stream()
    email, headers = viewer.email, api.login(viewer)
    session_id = api.start(headers, stream_id).json()["session_id"]
    shown = admin.ok("wallets", "show", email)
    assert session_id in shown and "lasts" in shown and "no daily cap" in shown
    assert admin.json("wallets", "show", email, "--json", "user_id") == {"user_id": viewer.user_id}
    cost = api.end(headers, session_id)["charged_millipoints"]
    before = balance(api, viewer)
    status, text = admin.refused("wallets", "adjust", session_id, "100")
    assert status == 4 and "adjustment_out_of_bounds" in text
    admin.ok("wallets", "adjust", session_id, f"{cost / 1000}", "--note", "no sound")
    assert balance(api, viewer) == before + cost


def test_keys_are_printed_once_and_alone(api: Api, admin: Admin) -> None:
    assert "keys create --help" in admin.ok("keys", "list")
    key = admin.ok("keys", "create", "shop", "--scope", "credit", "--days", "90")
    assert re.fullmatch(r"tck_\w+_\w+\n", key)
    (listed,) = admin.json("keys", "list", "--json", "key_id,name,scopes")
    assert listed["name"] == "shop" and listed["scopes"] == ["credit"]
    secret = key.strip().rpartition("_")[2]
    assert "shop" in admin.ok("keys", "list") and secret not in admin.ok("keys", "list", "--json", "all")
    assert admin.ok("keys", "rotate", listed["key_id"], "--overlap-hours", "1") != key
    assert "revoked" in admin.ok("keys", "revoke", listed["key_id"], "--yes")
    assert "revoked" in admin.ok("keys", "list")


def test_reconciliation_workers_and_audit(api: Api, admin: Admin) -> None:
    assert "0: 0 disagree" in admin.ok("reconcile", "day")
    assert "not over yet" not in admin.ok("reconcile", "day", "2026-01-31")
    assert admin.refused("reconcile", "day", "yesterday")[0] == 4
    assert "No such session yet" in admin.ok("reconcile", "sessions", "--disagreeing")
    assert "No worker is running" in admin.ok("workers")
    email, stream_id = api.user().email, api.live_stream(rate_millipoints_per_minute=60_000)
    admin.ok("streams", "edit", stream_id, "--rate", "2")
    (me,) = re.findall("Account: +(\\S+)", admin.ok("status"))
    shown = admin.ok("audit", "--by", me, columns=200)
    assert "stream.edit" in shown and "rate_millipoints_per_minute: 60000 → 2000" in shown
    admin.ok("wallets", "credit", email, "1", "--payment-id", "gift-2")
    (entry,) = admin.json("audit", "--user", email, "--json", "action,details")
    assert (entry["action"], entry["details"]["payment_id"]) == ("wallet.credit", "gift-2")
    assert admin.refused("audit", "--user", email, "--by", email)[0] == 2
    shown = admin.ok("users", "timeline", email)
    assert "payment gift-2, 1.000 points by operator" in " ".join(shown.split()) and "wallet.credit" in shown


def error_is_counted(admin: Admin) -> bool:
    """Cause an error, and return whether it is listed. A process writes its counts at most once in 5 s."""
    assert admin.refused("payments", "show", "nothing")[0] == 4
    return "payment_not_found" in admin.ok("errors", columns=120)


def test_figures_of_the_platform(api: Api, admin: Admin) -> None:
    assert "Sampled: never" in admin.ok("overview")
    shown = admin.ok("series", "active_sessions", "--hours", "48")
    assert "active_sessions: last -, from - to -" in shown
    assert list(admin.json("series", "egress_bytes", "--json", "series")["series"]) == ["egress_bytes"]
    assert admin.refused("series", "nonsense")[0] == 4
    eventually(lambda: error_is_counted(admin), 30, "the error in the list")
    assert re.search("all +0", admin.ok("reconcile", "totals", "--by", "month"))
    assert {each["sessions"] for each in admin.json("reconcile", "totals", "--json", "sessions")} == {0}
