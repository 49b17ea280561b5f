"""Logins of browsers: the refresh token is in a cookie that no script reads, and only pages of ours use it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import httpx
import pytest

from chalicelib.domain.access.tokens import REFRESH_REUSE_GRACE_MS
from tests.http.conftest import PASSWORD, Api, assert_problem

COOKIE = "tollcast_refresh"
OURS = {"X-CSRF": "1", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def post(api: Api) -> Callable[..., httpx.Response]:
    """Return how a page sends a request to /auth/browser, with a cookie if one is given."""

    def send(what: str, cookie: str | None = None, headers: dict[str, str] = OURS, **more: object) -> httpx.Response:
        cookies = {"Cookie": f"theme=dark; {COOKIE}={cookie}"} if cookie is not None else {}
        return api.http.post(f"/auth/browser/{what}", headers={**headers, **cookies}, **more)

    return send


def logged_in(api: Api, post: Callable[..., httpx.Response], email: str = "") -> str:
    """Return the cookie of a new login."""
    answer = post("login", json={"email": email or api.user().email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return cookie_of(answer)


def cookie_of(answer: httpx.Response) -> str:
    [header] = answer.headers.get_list("Set-Cookie")
    return SimpleCookie(header)[COOKIE].value


def test_the_refresh_token_is_in_a_cookie_that_no_script_reads(api: Api, post) -> None:
    user = api.user()
    answer = post("login", json={"email": user.email, "password": PASSWORD})
    [header] = answer.headers.get_list("Set-Cookie")
    value, *attributes = header.split("; ")
    assert set(attributes) == {"Max-Age=1800", "Path=/auth/browser", "Secure", "HttpOnly", "SameSite=Strict"}
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "user"}
    token = value.partition("=")[2]
    assert len(token) > 100 and token not in answer.text
    assert body["user"]["user_id"] == user.user_id
    assert api.http.get("/me", headers={"Authorization": f"Bearer {body['access_token']}"}).status_code == 200
    # It is a refresh token as any other, but no access token.
    assert api.http.get("/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_refresh_rotates_the_cookie(api: Api, post) -> None:
    first = logged_in(api, post)
    answer = post("refresh", first)
    assert answer.status_code == 200 and cookie_of(answer) not in ("", first)
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "user"}
    assert post("refresh", cookie_of(answer)).status_code == 200


@pytest.mark.parametrize("what", ["login", "refresh", "logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF": ""},
        {"X-CSRF": "0"},
        *({**OURS, "Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "none", "")),
    ],
    ids=str,
)
def test_another_site_may_not_use_the_cookie(api: Api, post, what: str, headers: dict[str, str]) -> None:
    cookie = logged_in(api, post)
    body = {"json": {"email": api.user().email, "password": PASSWORD}} if what == "login" else {}
    answer = post(what, cookie, headers, **body)
    assert_problem(answer, 403, "cross_site")
    assert "Set-Cookie" not in answer.headers
    assert post("refresh", cookie).status_code == 200, "the login goes on"


def test_a_browser_that_says_nothing_of_its_page_needs_the_header_alone(api: Api, post) -> None:
    assert post("refresh", logged_in(api, post), {"X-CSRF": "1"}).status_code == 200


def test_tabs_that_refresh_at_once_all_stay_logged_in(api: Api, post) -> None:
    cookie = logged_in(api, post)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post("refresh", cookie), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    newest = {cookie_of(answer) for answer in answers}
    assert len({answer.json()["access_token"] for answer in answers}) >= 1
    for each in newest:
        assert post("refresh", each).status_code in (200, 401)
    # The family lives: the browser keeps one of them.
    again = logged_in(api, post)
    assert post("refresh", again).status_code == 200


def test_a_cookie_that_was_stolen_and_used_late_ends_the_login(api: Api, post) -> None:
    first = logged_in(api, post)
    second = cookie_of(post("refresh", first))
    third = cookie_of(post("refresh", second))
    assert REFRESH_REUSE_GRACE_MS > 0
    answer = post("refresh", first)
    assert_problem(answer, 401, "token_invalid")
    assert cookie_of(answer) == "" and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert post("refresh", third).status_code == 401


def test_a_logout_revokes_and_removes_also_what_is_no_token(api: Api, post) -> None:
    cookie = logged_in(api, post)
    for given in (cookie, cookie, None, "", "nonsense", "x" * 5000):
        answer = post("logout", given)
        assert (answer.status_code, answer.content) == (204, b""), given
        assert cookie_of(answer) == "" and "Path=/auth/browser" in answer.headers["Set-Cookie"]
    assert post("refresh", cookie).status_code == 401


@pytest.mark.parametrize("cookie", [None, "", "nonsense", "a.b.c", '"quoted"', "x" * 2049, "x" * 7000])
def test_what_is_no_login_is_refused_and_removed(api: Api, post, cookie: str | None) -> None:
    answer = post("refresh", cookie)
    assert_problem(answer, 401, "token_invalid")
    assert cookie_of(answer) == ""


def test_cookies_of_other_programs_do_not_hide_ours(api: Api, post) -> None:
    cookie = logged_in(api, post)
    for before in ('a={"b": [1]}', "=", ";;", "ü=1", f"x{COOKIE}=no", "a" * 3000):
        headers = {**OURS, "Cookie": f"{before}; {COOKIE}={cookie}".encode()}
        answer = api.http.post("/auth/browser/refresh", headers=headers)
        assert answer.status_code == 200, before
        cookie = cookie_of(answer)


def test_a_disabled_account_and_a_wrong_password_get_no_cookie(api: Api, post) -> None:
    user = api.user()
    cookie = logged_in(api, post, user.email)
    wrong = post("login", json={"email": user.email, "password": "wrong"})
    assert_problem(wrong, 401, "invalid_credentials")
    assert "Set-Cookie" not in wrong.headers, "another tab may be logged in"
    api.services.accounts.change(user.user_id, disabled=True)
    assert post("login", json={"email": user.email, "password": PASSWORD}).status_code == 401
    assert post("refresh", cookie).status_code == 401


def test_a_body_where_there_is_none_is_refused(api: Api, post) -> None:
    cookie = logged_in(api, post)
    assert_problem(post("refresh", cookie, json={"refresh_token": cookie}), 400, "invalid_request")
    assert post("refresh", cookie).status_code == 200


def test_the_login_is_in_the_timeline(api: Api, post) -> None:
    user = api.user()
    logged_in(api, post, user.email)
    events = api.all_items(api.admin(), f"/users/{user.user_id}/timeline", limit=50)
    assert "login" in {event["kind"] for event in events}
