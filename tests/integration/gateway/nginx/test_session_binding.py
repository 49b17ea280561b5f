"""Sessions bound to their first client: nginx, its cached authorizations, and the product's access rule."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chalicelib.domain.access.clients import media_key
from chalicelib.domain.streams.stream import SessionBinding
from tests.integration.gateway.nginx.test_access_vectors import Gate
from tests.integration.gateway.nginx.test_access_vectors import gate as gate
from tests.vectors.case import Case
from tests.vectors.model import ALLOW, PLAYLIST, SEGMENT, Answer, State, Vector

HOME, CAFE = "127.0.0.1", "127.0.0.2"
PLAYER = "tollcast-player/1"
REFUSED = Answer("session_bound_elsewhere", 403)
# Each test has a separate session.
NUMBERS: Iterator[int] = iter(range(1_000))


@dataclass
class BoundSession:
    """A session under a policy, with its one play token."""

    gate: Gate
    case: Case
    token: str

    def get(self, address: str = HOME, agent: str | None = PLAYER, media: str = SEGMENT) -> Answer:
        """Fetch media from this address with this user agent."""
        self.gate.s3.hits.clear()
        headers = [("Authorization", f"Bearer {self.token}"), *([("User-Agent", agent)] if agent else [])]
        return self.gate.ask("GET", f"/play/{self.case.session_id}/{media}", headers, address)

    def is_served(self, address: str = HOME, agent: str | None = PLAYER, media: str = SEGMENT) -> bool:
        return self.get(address, agent, media).code == ALLOW


def begin(gate: Gate, policy: SessionBinding) -> BoundSession:
    case = gate.case(Vector(name=f"bound {next(NUMBERS)}", expect=ALLOW, state=State(paid_ms=60_000, binding=policy)))
    gate.enter(case, case.vector.state)
    return BoundSession(gate, case, case.play())


def test_only_the_first_client_is_served_also_from_the_cache(gate: Gate) -> None:
    session, asked = begin(gate, SessionBinding.ENFORCE), gate.rule.asked
    assert all(session.is_served(media=media) for media in (PLAYLIST, SEGMENT) * 3)
    assert gate.rule.asked == asked + 1
    for stranger in ({"address": CAFE}, {"agent": "another"}, {"agent": None}, {"address": CAFE, "agent": "another"}):
        for media in (SEGMENT, PLAYLIST):
            assert session.get(media=media, **stranger) == REFUSED
            assert not gate.s3.hits
    # The paying viewer got no refusal, and nginx sent no further request for it.
    strangers_asked = gate.rule.asked
    assert all(session.is_served(media=media) for media in (PLAYLIST, SEGMENT))
    assert gate.rule.asked == strangers_asked


def test_a_warning_is_one_line_and_refuses_no_client(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    session = begin(gate, SessionBinding.WARN)
    for _ in range(2):
        assert session.is_served(HOME) and session.is_served(CAFE) and session.is_served(CAFE, "another")
    [line] = [record.getMessage() for record in caplog.records if record.name == "binding"]
    assert session.case.session_id in line and "another address; the policy is warn" in line
    assert HOME not in line and CAFE not in line and PLAYER not in line


def test_without_a_policy_no_client_is_recorded(gate: Gate) -> None:
    session = begin(gate, SessionBinding.OFF)
    assert session.is_served(HOME) and session.is_served(CAFE, "another")
    assert media_key(session.case.session_id) not in gate.rule.clients.rows


def test_only_enforcement_refuses_when_the_first_client_cannot_be_read(gate: Gate) -> None:
    enforced, warned = begin(gate, SessionBinding.ENFORCE), begin(gate, SessionBinding.WARN)
    gate.rule.clients.silent = True
    try:
        assert (enforced.get().status, warned.get().code) == (503, ALLOW)
    finally:
        gate.rule.clients.silent = False
