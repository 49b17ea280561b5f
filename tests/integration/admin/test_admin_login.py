"""Logins of operators, beside those of viewers at the same server, and what is refused."""

import json
import signal
import stat

from chalicelib.domain.accounts.users import Role
from tests.integration.admin.admin_harness import ADMIN_EMAIL, ADMIN_PASSWORD, Admin
from tests.integration.player.memory_platform import EMAIL, PASSWORD
from tests.integration.player.platform_server import PlatformServer

VIEWER_LOGIN = ("login", "--email", EMAIL, "--password-stdin")


def test_a_viewer_and_an_operator_at_one_server_keep_their_logins(
    platform: PlatformServer, memory_admin: Admin
) -> None:
    assert memory_admin.player(*VIEWER_LOGIN, stdin=PASSWORD).exit_code == 0
    (file,) = (memory_admin.home / ".config" / "tollcast" / "admin").glob("http*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert f"{EMAIL} (viewer)" in memory_admin.player("status").stdout
    shown = memory_admin.ok("status")
    assert ADMIN_EMAIL in shown and str(file) in "".join(shown.split())
    assert memory_admin.ok("logout").startswith("Logged out")
    assert memory_admin.player("wallet").exit_code == 0, "the viewer is still logged in"
    status, text = memory_admin.refused("users", "list")
    assert status == 4 and "Run: tollcast-admin login" in text
    assert "were not logged in" in memory_admin.ok("logout")


def test_the_server_of_the_last_login_is_the_default_of_each_command(
    platform: PlatformServer, memory_admin: Admin
) -> None:
    with platform.mapped() as other:
        assert memory_admin.player(*VIEWER_LOGIN, stdin=PASSWORD, server=other.url).exit_code == 0
        assert json.loads((memory_admin.home / ".config/tollcast/server.json").read_text())["server"] == other.url
        memory_admin.server = ""
        assert platform.url in memory_admin.ok("status")


def test_wrong_passwords_roles_and_addresses(platform: PlatformServer, memory_admin: Admin) -> None:
    login = ("login", "--email", ADMIN_EMAIL, "--password-stdin")
    status, text = memory_admin.refused(*login, stdin="wrong\n")
    assert status == 4 and "invalid_credentials" in text
    assert memory_admin.refused("login")[0] == 2, "without a terminal nothing is asked"
    assert "role viewer" in memory_admin.run(*login[:1], "--email", EMAIL, "--password-stdin", stdin=PASSWORD).output
    status, text = memory_admin.refused("sessions", "list")
    assert status == 4 and "forbidden" in text
    status, text = memory_admin.refused("--server", "http://127.0.0.1:9", "streams", "list")
    assert status == 4 and "Not logged in" in text
    status, text = memory_admin.refused("--server", "http://127.0.0.1:9", "status")
    assert status == 5 and "cannot be reached" in text


def test_an_operator_cannot_pay_and_finance_cannot_kick(platform: PlatformServer, memory_admin: Admin) -> None:
    for role, words in ((Role.OPERATOR, ("wallets", "show", EMAIL)), (Role.FINANCE, ("streams", "stop", "stream-1"))):
        platform.services.accounts.create(f"{role}@local", ADMIN_PASSWORD, role)
        memory_admin.login(f"{role}@local", ADMIN_PASSWORD)
        status, text = memory_admin.refused(*words)
        assert status == 4 and "forbidden" in text, role


def test_an_expired_access_token_is_refreshed(platform: PlatformServer, memory_admin: Admin) -> None:
    platform.expire_access_tokens()
    assert ADMIN_EMAIL in memory_admin.ok("users", "list")
    assert len(platform.seen("POST", "/auth/refresh")) == 1


def test_a_live_list_ends_with_ctrl_c_and_survives_an_unreachable_server(
    platform: PlatformServer, memory_admin: Admin
) -> None:
    watching = memory_admin.process("streams", "list", "--every", "0.5", "--json", "stream_id,state")
    assert watching.stdout and watching.stderr
    assert json.loads(watching.stdout.readline()) == [{"stream_id": "stream-1", "state": "live"}]
    platform.dead_paths = ("/streams",)
    assert "Trying again every 0.5 s" in watching.stderr.readline()
    platform.dead_paths = ()
    platform.report("backoff")
    assert json.loads(watching.stdout.readline()) == [{"stream_id": "stream-1", "state": "backoff"}]
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=30)
    assert watching.returncode == 130 and out == "" and "Traceback" not in err and "ResourceWarning" not in err


def test_a_payment_without_an_answer_names_the_id_to_repeat(platform: PlatformServer, memory_admin: Admin) -> None:
    platform.drop_next = {f"/wallets/{platform.user_id}/credit"}
    status, text = memory_admin.refused("wallets", "credit", EMAIL, "5")
    assert status == 5 and "may have been made" in text
    payment_id = text.split("--payment-id")[1].split()[0]
    assert "105.000 points" in memory_admin.ok("wallets", "credit", EMAIL, "5", "--payment-id", payment_id)
    assert platform.balance == 105_000
