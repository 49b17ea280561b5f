"""Rate limits over HTTP: the refusal and its header."""

import os

import httpx
import pytest

from chalicelib.api.openapi import document
from tests.http.conftest import PASSWORD, Api


def login(api: Api, email: str, password: str, ip: str) -> httpx.Response:
    return api.try_login(email, password, **{"x-real-ip": ip})


@pytest.mark.parametrize("known", [True, False])
def test_guessing_ends_after_ten_tries_for_any_account(api: Api, known: bool) -> None:
    email = api.user().email if known else f"unknown-{os.getpid()}@local"
    ip = "192.0.2.1" if known else "192.0.2.2"
    answers = [login(api, email, "a wrong one", ip) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    refused = answers[-1]
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) == refused.json()["retry_after_s"] <= 10
    assert refused.headers["content-type"] == "application/problem+json"
    documented = document()["paths"]["/auth/login"]["post"]["responses"]["429"]["headers"]
    assert "Retry-After" in documented
    # The right password learns nothing either, but from elsewhere its owner gets in.
    assert login(api, email, PASSWORD, ip).status_code == 429
    assert login(api, email, PASSWORD, "192.0.2.3").status_code == (200 if known else 401)
