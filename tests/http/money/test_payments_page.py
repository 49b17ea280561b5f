"""What docs/payments.md says: its webhook runs as it is there, against the API over HTTP."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chalicelib.domain.accounts.users import Role
from infra.local.layout import ROOT
from tests.fixtures.ports import await_server, free_port
from tests.http.conftest import PASSWORD, Api

PAGE = (ROOT / "docs" / "payments.md").read_text()
SECRET = "acme signs with this"


def block(language: str, words: str) -> str:
    """Return the one code block of a language with these words."""
    [found] = [each for each in re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL) if words in each]
    return str(found)


# The page's command, also where the package is not installed.
COMMAND = f'tollcast-admin() {{ {sys.executable} -m tollcast_admin "$@"; }}\n'


def shell(script: str, **environ: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def operator(api: Api, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an admin who is logged in with `tollcast-admin`."""
    environ = {
        "HOME": str(tmp_path_factory.mktemp("home")),
        "TOLLCAST_SERVER": str(api.http.base_url),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPATH": str(ROOT),
    }
    login = f"tollcast-admin login --email {api.user(Role.ADMIN).email} --password-stdin"
    shell(f"{COMMAND}echo '{PASSWORD}' | {login}", **environ)
    return environ


class Webhook:
    """The page's webhook, and its payment service."""

    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log

    def send(self, event: object, *, at_s: float | None = None, secret: str = SECRET, **headers: str) -> int:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        at = str(int(at_s or time.time()))
        signature = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        signed = {"Signature": f"t={at},v1={signature}", **headers}
        return httpx.post(self.url, content=body, headers=signed, timeout=20).status_code

    def event(self, kind: str, payment: str, **data: Any) -> int:
        return self.send({"id": "evt_1", "type": f"payment.{kind}", "data": {"payment": payment, **data}})


def started(api: Api, directory: Path, api_url: str, api_key: str) -> tuple[Webhook, subprocess.Popen[bytes]]:
    code, log, port = directory / "webhook.py", directory / f"webhook-{free_port()}.log", free_port()
    code.write_text(block("python", "WEBHOOK_SECRET"))
    environ = {"API_URL": api_url, "API_KEY": api_key, "WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    with log.open("wb") as out:
        argv = [sys.executable, "-I", str(code)]
        process = subprocess.Popen(argv, env={"PATH": os.environ["PATH"], **environ}, stdout=out, stderr=out)
    await_server(port, process, log)
    return Webhook(f"http://127.0.0.1:{port}", log), process


@pytest.fixture(scope="module")
def key(operator: dict[str, str]) -> str:
    """The key that the page creates."""
    return shell(COMMAND + block("sh", "keys create"), **operator).strip()


@pytest.fixture(scope="module")
def webhook(api: Api, key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    url = str(api.http.base_url).rstrip("/")
    running, process = started(api, tmp_path_factory.mktemp("webhook"), url, key)
    yield running
    process.terminate()
    process.wait(10)
    assert "Traceback" not in running.log.read_text(), running.log.read_text()


def balance(api: Api, user_id: str) -> int:
    return int(api.get(api.admin(), f"/wallets/{user_id}")["balance_millipoints"])


def test_the_event_of_the_page_credits_once(api: Api, webhook: Webhook, operator: dict[str, str]) -> None:
    user = api.user()
    script = block("sh", "openssl")
    environ = {"WEBHOOK": webhook.url, "EMAIL": user.email, "WEBHOOK_SECRET": SECRET}
    assert shell(script, **environ) == "200\n200\n"
    assert balance(api, user.user_id) == 50_000
    payment = api.get(api.admin(), "/payments/acme:pay_1")
    assert (payment["millipoints"], payment["source"], payment["user_id"]) == (50_000, "acme", user.user_id)
    # The page's chargeback takes it back and disables the account.
    reverse = block("sh", "payments reverse").rstrip()
    shown = shell(f"{COMMAND}{reverse} --yes", **operator)
    assert re.search(r"Taken back: +50\.000 points\nNot in the wallet: +0\.000 points\n", shown)
    assert (balance(api, user.user_id), api.try_login(user.email).status_code) == (0, 401)


def test_refunds_and_disputes_take_back(api: Api, webhook: Webhook) -> None:
    user = api.user(millipoints=1_000)
    for payment in ("pay_a", "pay_b"):
        assert webhook.event("succeeded", payment, user_id=user.user_id, points=10) == 200
    assert balance(api, user.user_id) == 21_000
    for _ in range(2):
        assert webhook.event("refunded", "pay_a") == 200
    assert (balance(api, user.user_id), api.try_login(user.email).status_code) == (11_000, 200)
    for _ in range(2):
        assert webhook.event("disputed", "pay_b") == 200
    assert (balance(api, user.user_id), api.try_login(user.email).status_code) == (1_000, 401)
    assert webhook.event("created", "pay_b") == 200


def test_what_the_service_has_not_signed_just_now_does_nothing(api: Api, webhook: Webhook) -> None:
    user = api.user()
    event = {"type": "payment.succeeded", "data": {"payment": "pay_x", "user_id": user.user_id, "points": 1}}
    assert webhook.send(event, secret="another") == 400
    for at_s in (time.time() - 330, time.time() + 330):
        assert webhook.send(event, at_s=at_s) == 400
    for signature in ("", "x", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=\u00e9".encode("latin-1").decode("latin-1")):
        assert webhook.send(event, Signature=signature.encode("latin-1")) == 400  # type: ignore[arg-type]
    assert webhook.send(b"x" * 65_537) == webhook.send(b"") == webhook.send(b"no json") == 400
    assert balance(api, user.user_id) == 0


def test_what_a_retry_cannot_change_is_for_a_person(api: Api, webhook: Webhook) -> None:
    user = api.user()
    assert webhook.event("succeeded", "pay_c", user_id=user.user_id, points=1) == 200
    for what, status in (
        (webhook.event("succeeded", "pay_d", email="no-one@local", points=1), 200),
        (webhook.event("succeeded", "pay_c", user_id=user.user_id, points=2), 200),
        (webhook.event("succeeded", "pay_e", user_id=user.user_id, points=-2), 200),
        (webhook.event("succeeded", "pay_f"), 200),
        # It may come before its payment.
        (webhook.event("refunded", "pay_unknown"), 503),
    ):
        assert what == status
    log = webhook.log.read_text()
    for code in ("user_not_found", "payment_mismatch", "millipoints", "KeyError"):
        assert re.search(rf"ERROR:webhook:look at this: .*{code}", log), code
    assert balance(api, user.user_id) == 1_000


def test_what_passes_is_sent_again(api: Api, key: str, tmp_path: Path) -> None:
    user, url = api.user(), str(api.http.base_url).rstrip("/")
    wrong_key = f"tck_{'a' * 16}_{'b' * 52}"
    for api_url, api_key in ((url, wrong_key), (f"http://127.0.0.1:{free_port()}", key)):
        webhook, process = started(api, tmp_path, api_url, api_key)
        assert webhook.event("succeeded", "pay_g", user_id=user.user_id, points=1) == 503
        process.terminate()
        process.wait(10)
        assert "try again" in webhook.log.read_text()
    assert balance(api, user.user_id) == 0
