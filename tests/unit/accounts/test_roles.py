"""`docs/roles.md` has the declared roles of all routes; `python -m tests.unit.accounts.test_roles` writes it."""

from pathlib import Path

from chalicelib.api.openapi import ALL_ROUTES, document
from chalicelib.domain.accounts.users import Role

ROLES = Path(__file__).resolve().parents[3] / "docs" / "roles.md"
OPENING = """# Roles

Who may call what. This table is made from the declarations of the routes
(`python -m tests.unit.accounts.test_roles`), and the
suite compares them. `/openapi.json` has the same as `x-roles`, `x-account-checked` and `x-key-scope`.

Every role may watch, and reaches by `/me` and `/playback` only its own wallet, ledger and sessions: those of other
accounts do not exist for it (404). Beside that, an `operator` runs streams and sessions, `finance` wallets, payments
and reconciliation, and an `admin` everything, the accounts too. Another role gets 403. Where the account is checked, a
token is not enough: an account that was disabled, given another role or logged out everywhere since is refused at once.

A service key ([payments.md](payments.md#service-keys)) reaches the routes that name one of its scopes, and no other:
401 for a wrong key, 403 `key_scope` for a route outside its scopes. Routes for anyone ignore it.

| method | path | viewer | operator | finance | admin | account checked | scope of service keys | may answer 429 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def roles() -> str:
    """Return the expected text of the page."""
    lines = []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            checked = "yes" if operation.get("x-account-checked") else ""
            limited = "yes" if "429" in operation["responses"] else ""
            roles = operation.get("x-roles", ["anyone"])
            who = " | ".join("yes" if role in roles else "anyone" if roles == ["anyone"] else "" for role in Role)
            scope = operation.get("x-key-scope", "")
            lines.append(f"| {method.upper()} | `{path}` | {who} | {checked} | {scope} | {limited} |")
    return OPENING + "\n".join(lines) + "\n"


def test_the_page_of_roles_is_true() -> None:
    assert ROLES.read_text() == roles(), "run `python -m tests.unit.accounts.test_roles` and look at what has changed"


def test_operators_accounts_are_always_checked_and_so_are_viewers_who_change_something() -> None:
    endpoints = [endpoint for routes in ALL_ROUTES for endpoint in routes.endpoints if endpoint.roles]
    unchecked = {
        (endpoint.method, endpoint.path) for endpoint in endpoints if endpoint.method != "GET" and not endpoint.account
    }
    # Ending logins also ends the sessions of these.
    assert unchecked == {("POST", f"/playback/{name}") for name in ("heartbeat", "renew", "stop")}
    assert all(endpoint.account for endpoint in endpoints if Role.VIEWER not in endpoint.roles)


if __name__ == "__main__":
    ROLES.write_text(roles())
