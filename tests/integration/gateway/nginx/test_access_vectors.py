"""nginx with the product's access rule, on the vectors that all fronts share."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chalicelib.adapters.access.file_denylist import FileDenylist
from chalicelib.problems import problem
from gateway.nginx.config import GatewayConfig
from tests.integration.gateway.nginx.harness import (
    LongQueueServer,
    empty,
    endpoint_server,
    run_nginx,
    serving,
    stub_s3,
    wsgi_server,
)
from tests.vectors.access import VECTORS
from tests.vectors.case import AccessRule, Case
from tests.vectors.model import ALLOW, OPEN, SEGMENT, STATUS_OF_CODE, Answer, Front, State, Vector

SERVED = (200, 206)


@dataclass
class Gate:
    """A running nginx with the product's access rule over fakes."""

    port: int
    rule: AccessRule
    denylist: FileDenylist
    s3: LongQueueServer

    def case(self, vector: Vector) -> Case:
        """Return the vector's case at the present time, and reset the count of fetched objects."""
        self.rule.clock.at_ms = time.time_ns() // 1_000_000
        self.s3.hits.clear()
        return Case(vector, self.rule.clock.now_ms())

    def enter(self, case: Case, state: State) -> None:
        self.rule.enter(case, state)
        if state.denied:
            self.denylist.deny_session(case.session_id, state.denied)
        if state.stream_denied:
            self.denylist.deny_stream(case.stream_id, state.stream_denied)

    def good(self, case: Case) -> Answer:
        return self.ask("GET", f"/play/{case.session_id}/{SEGMENT}", [("Authorization", f"Bearer {case.play()}")])

    def ask(self, method: str, target: str, headers: list[tuple[str, str]], address: str = "127.0.0.1") -> Answer:
        """Send the request unchanged from this address."""
        lines = [f"{method} {target} HTTP/1.1", "Host: media.test", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers]
        source = (address, 0)
        with socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=source) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            answer = http.client.HTTPResponse(connection, method=method)
            answer.begin()
            body = answer.read()
        if answer.status in SERVED:
            fetched = [path.removeprefix("/media/") for path in self.s3.hits]
            return Answer(ALLOW, 200, fetched[0] if len(fetched) == 1 else repr(fetched))
        assert answer.getheader("Content-Type") == "application/problem+json", body
        assert json.loads(body)["status"] == answer.status
        return Answer(json.loads(body)["code"], answer.status)


@pytest.fixture(scope="module")
def gate(nginx_config: GatewayConfig) -> Iterator[Gate]:
    config, rule = nginx_config, AccessRule(0)
    empty(config)
    denylist = FileDenylist(config.denylist_dir)
    denylist.prepare()
    endpoints, s3 = endpoint_server(config, rule.authorize, denylist, rule.clock.now_ms), stub_s3(config)
    with serving(endpoints, wsgi_server(config.api_socket, no_media), s3), run_nginx(config):
        yield Gate(int(config.listen.split(":")[1]), rule, denylist, s3)


def no_media(_environ, start_response):
    body = json.dumps(problem(404, "not_found", "There is nothing at this address.")).encode()
    start_response("404 Not Found", [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))])
    return [body]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_vectors(vector: Vector, gate: Gate) -> None:
    case = gate.case(vector)
    if vector.after_a_good_one:
        gate.enter(case, OPEN)
        assert gate.good(case).code == ALLOW
    gate.enter(case, vector.state)
    answer = gate.ask(vector.method, case.target, case.headers)
    assert answer == case.expected(Front.NGINX)
    if answer.code != ALLOW and not vector.after_a_good_one:
        assert not gate.s3.hits


def test_no_authorization_outlives_its_lease_when_the_store_fails(gate: Gate) -> None:
    """A cached authorization is valid to the end of its lease, and no longer."""
    case = gate.case(Vector(name="the store falls silent", expect="unavailable", state=State(paid_ms=2_500)))
    gate.enter(case, case.vector.state)
    assert gate.good(case).code == ALLOW
    gate.rule.enter(case, State(paid_ms=2_500, silent=True))
    asked_at_ms = case.now_ms
    while (answer := gate.good(case)).code == ALLOW:
        assert asked_at_ms < case.now_ms + 2_500
        time.sleep(0.05)
        asked_at_ms = time.time_ns() // 1_000_000
    assert answer == Answer("unavailable", STATUS_OF_CODE["unavailable"])
