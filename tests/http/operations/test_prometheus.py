"""Prometheus over HTTP: who may read the metrics, in which format, and that a restart lowers no counter."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_text

from chalicelib.adapters.operations.dynamodb_counters import FLUSH_EVERY_MS
from chalicelib.bootstrap import Container
from chalicelib.domain.accounts.users import Role
from tests.http.accounts.test_service_keys import new_key, with_key
from tests.http.conftest import Api

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture(scope="module")
def key(api: Api) -> dict[str, str]:
    return with_key(new_key(api, "metrics"))


def test_the_format_is_chosen_by_accept(api: Api, key: dict[str, str]) -> None:
    stream_id = api.live_stream()
    for accept, content_type, parse in (("text/plain", TEXT, parse_text), (OPEN, OPEN, parse_open)):
        answer = api.http.get("/monitoring/metrics", headers={**key, "Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
        assert answer.headers["cache-control"] == "no-store"
        families = {family.name: family for family in parse(answer.text)}
        assert {each.value for each in families["tollcast_part_read"].samples} == {1}
        assert stream_id in {each.labels["stream_id"] for each in families["tollcast_stream_delivered"].samples}
        assert "tck_" not in answer.text and "Bearer" not in answer.text
    plain = api.http.get("/monitoring/metrics", headers=key)
    assert plain.headers["content-type"] == "application/json" and "active_sessions" in plain.json()


def test_a_key_needs_the_scope_and_a_user_a_role_of_the_staff(api: Api) -> None:
    accept = {"Accept": "text/plain"}
    for headers, status in (
        (with_key(new_key(api, "credit")), 403),
        (api.viewer(), 403),
        ({}, 401),
        (api.login(api.user(Role.FINANCE)), 200),
        (api.login(api.user(Role.OPERATOR)), 200),
    ):
        assert api.http.get("/monitoring/metrics", headers={**headers, **accept}).status_code == status


def test_a_restart_of_the_functions_lowers_no_counter(api: Api, key: dict[str, str]) -> None:
    seen = []
    for _ in range(2):
        api.try_login("unknown@local", "x")
        for services in (api.services, Container(api.services.settings)):
            services.stores.counters.add("login_failures")
            services.stores.counters.flush()
            text = api.http.get("/monitoring/metrics", headers={**key, "Accept": "text/plain"}).text
            [line] = [each for each in text.splitlines() if each.startswith("tollcast_login_failures_total ")]
            seen.append(int(line.split()[1]))
    assert seen == sorted(seen) and seen[-1] >= seen[0] + 3, f"counted by four processes, each within {FLUSH_EVERY_MS}"
