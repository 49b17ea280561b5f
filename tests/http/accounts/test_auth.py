"""Logging in, how often it may fail, refreshing, logging out; and that no token is accepted as one of another kind."""

import os
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest

from chalicelib.adapters.access.jwt_tokens import AUD, TYP
from chalicelib.api.openapi import document
from chalicelib.domain.access.tokens import TokenKind
from chalicelib.domain.accounts.users import RefreshFamily, Role
from chalicelib.ports.common import RowRefused
from chalicelib.services.access.auth import FAMILIES_MAX
from tests.http.conftest import PASSWORD, Api, assert_problem


def test_login_gives_tokens_and_the_account(api: Api) -> None:
    user = api.user()
    answer = api.try_login(user.email.upper()).json()
    assert set(answer) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 900)
    assert answer["user"]["user_id"] == user.user_id
    me = api.http.get("/me", headers={"Authorization": f"Bearer {answer['access_token']}"}).json()
    assert me == answer["user"]
    assert "password_hash" not in me


def test_unknown_wrong_and_disabled_are_the_same_answer(api: Api) -> None:
    disabled = api.user()
    api.services.accounts.change(disabled.user_id, disabled=True)
    tries = [(api.user().email, "wrong"), ("unknown@local", "wrong"), (disabled.email, PASSWORD)]
    answers = [api.try_login(email, password) for email, password in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["code"] == "invalid_credentials"


def refresh_token(api: Api) -> str:
    return str(api.try_login(api.user(millipoints=100_000).email).json()["refresh_token"])


def test_a_refresh_may_be_repeated_and_an_old_token_revokes_the_family(api: Api) -> None:
    first = refresh_token(api)
    second = api.refresh(first).json()["refresh_token"]
    again = api.refresh(first)
    assert again.status_code == 200
    # The same token of the family, with and without a lost response.
    third = api.refresh(again.json()["refresh_token"])
    assert third.status_code == 200 and second != first
    # An old one revokes the family.
    assert api.refresh(first).status_code == 401
    assert api.refresh(third.json()["refresh_token"]).status_code == 401


def test_logout_revokes_and_may_be_repeated(api: Api) -> None:
    token = refresh_token(api)
    for _ in range(2):
        answer = api.http.post("/auth/logout", json={"refresh_token": token})
        assert (answer.status_code, answer.content) == (204, b"")
    assert api.refresh(token).status_code == 401


def forged(api: Api, key_of: TokenKind, typ_of: TokenKind, aud_of: TokenKind, alg: str = "HS256") -> str:
    """Return a token that is signed with one kind's key and claims to be of another kind."""
    keys = api.services.stores.token_keys.read()[0][key_of]
    expires_ms = int(time.time() * 1000) + 60_000
    claims: dict[str, object] = {"sub": "u_" + "a" * 20, "role": "admin", "gen": 0, "fam": "f", "jti": "j"}
    claims |= {
        "sid": "a" * 26,
        "stream": "stream-1",
        "aud": AUD[aud_of],
        "exp": expires_ms // 1000,
        "exp_ms": expires_ms,
    }
    key = "" if alg == "none" else b64decode(keys.keys[keys.current])
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": keys.current, "typ": TYP[typ_of]})


@pytest.mark.parametrize("key_of", TokenKind)
@pytest.mark.parametrize("typ_of", TokenKind)
@pytest.mark.parametrize("aud_of", TokenKind)
def test_the_api_takes_access_tokens_only(api: Api, key_of: TokenKind, typ_of: TokenKind, aud_of: TokenKind) -> None:
    token = forged(api, key_of, typ_of, aud_of)
    answer = api.http.get("/me/sessions", headers={"Authorization": f"Bearer {token}"})
    genuine = key_of is typ_of is aud_of is TokenKind.ACCESS
    assert answer.status_code == (200 if genuine else 401), answer.text


@pytest.mark.parametrize(
    "header", ["", "Bearer", "bearer", "Basic YTpi", "Bearer a.b.c", "Bearer " + "x" * 3000, "unsigned"]
)
def test_headers_that_prove_nothing(api: Api, header: str) -> None:
    if header == "unsigned":
        header = f"Bearer {forged(api, TokenKind.ACCESS, TokenKind.ACCESS, TokenKind.ACCESS, alg='none')}"
    answer = api.http.get("/me", headers={"Authorization": header})
    assert_problem(answer, 401, "token_invalid")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_logins_at_once_all_hold(api: Api) -> None:
    user = api.user()
    with ThreadPoolExecutor(6) as pool:
        logins = list(pool.map(lambda _: api.try_login(user.email).json(), range(6)))
    assert {api.refresh(login["refresh_token"]).status_code for login in logins} == {200}


def test_a_login_that_was_under_way_does_not_outlive_a_disabling(api: Api) -> None:
    user = api.user()
    seen = api.services.stores.users.get(user.user_id)
    assert seen is not None
    api.services.accounts.change(user.user_id, disabled=True)
    family = RefreshFamily(
        family_id="f", current_jti="j", previous_jti=None, rotated_at_ms=0, expires_at_ms=2_000_000_000_000
    )
    with pytest.raises(RowRefused):
        api.services.stores.users.add_family(seen, family, [])


def test_the_oldest_login_makes_place_for_the_eleventh(api: Api) -> None:
    user = api.user()
    tokens = [api.try_login(user.email).json()["refresh_token"] for _ in range(FAMILIES_MAX + 1)]
    assert [api.refresh(token).status_code for token in tokens] == [401] + [200] * FAMILIES_MAX


def test_an_operator_who_was_disabled_or_demoted_is_none_at_once(api: Api) -> None:
    for change in ({"disabled": True}, {"role": Role.VIEWER}):
        operator = api.user(Role.ADMIN)
        headers = api.login(operator)
        stream_id = api.live_stream()
        api.services.accounts.change(operator.user_id, **change)  # type: ignore[arg-type]
        path = f"/users/{operator.user_id}"
        for answer in (
            api.http.patch(path, json={"role": "admin", "disabled": False}, headers=headers),
            api.http.post(f"/streams/{stream_id}/preview", headers=headers),
            api.http.get(f"/streams/{stream_id}", headers=headers),
        ):
            assert_problem(answer, 403, "forbidden")


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
