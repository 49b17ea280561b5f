"""The access rule over tables in memory, and the cases of vectors: a session with its tokens."""

import json
from typing import Any

from chalicelib.adapters.access.jwt_tokens import JwtTokens
from chalicelib.domain.access.clients import Client, media_key
from chalicelib.domain.access.tokens import PlayClaims
from chalicelib.domain.ids import session_id_of
from chalicelib.domain.money.lease import GRACE_MS
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import ActiveSession, SessionKind, SessionRecord
from chalicelib.domain.money.wallets import Wallet
from chalicelib.domain.streams.pacing import Pace
from chalicelib.domain.streams.stream import DesiredState, SessionBinding
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access.access import Access, Decision
from chalicelib.services.access.binding import Binding
from tests.fakes.access.clients import MemoryClients
from tests.fakes.money.sessions import MemoryPlaybackSessions
from tests.fakes.money.wallets import MemoryStore, MemoryWallets
from tests.fakes.simple import SetClock
from tests.vectors.forged import KEY_SETS, forged
from tests.vectors.model import ALLOW, STATUS_OF_CODE, Answer, Front, State, Vector

LEASE_MS = 10_000


class Case:
    """A vector's session, stream and tokens."""

    def __init__(self, vector: Vector, now_ms: int) -> None:
        self.vector = vector
        self.now_ms = now_ms
        self.session_id = session_id_of("session", vector.name)
        self.other_id = session_id_of("other", vector.name)
        self.user_id = "u_" + self.session_id[:20]
        self.stream_id = "s-" + self.session_id
        self.tokens = JwtTokens(lambda: json.dumps(KEY_SETS))

    @property
    def target(self) -> str:
        return self._filled(self.vector.target)

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, self._filled(value)) for name, value in self.vector.headers]

    def expected(self, front: Front) -> Answer:
        code = self.vector.expected(front)
        key = f"streams/{self._filled(self.vector.stream)}/{self.vector.media}" if code == ALLOW else None
        return Answer(code, STATUS_OF_CODE[code], key)

    def key(self, media: str) -> str:
        return f"streams/{self.stream_id}/{media}"

    def _filled(self, text: str) -> str:
        names = {"session": self.session_id, "other": self.other_id, "upper": self.session_id.upper()}
        return text.format(stream=self.stream_id, **names, **forged(self))

    def play(self, **changes: Any) -> str:
        """A play token of this case, signed by the product."""
        values = {"user_id": self.user_id, "session_id": self.session_id, "stream_id": self.stream_id}
        expires_at_ms = self.now_ms + self.vector.state.paid_ms + GRACE_MS
        return self.tokens.sign_play(PlayClaims(**{**values, "expires_at_ms": expires_at_ms, **changes}))


class AccessRule:
    """The access rule over tables in memory that hold every case's session."""

    def __init__(self, now_ms: int) -> None:
        self.clock = SetClock(now_ms)
        self.store = MemoryStore()
        self.clients = MemoryClients()
        # How often the rule was asked.
        self.asked = 0
        self._states: dict[str, State] = {}
        self._rule = Access(
            tokens=JwtTokens(lambda: json.dumps(KEY_SETS)),
            wallets=MemoryWallets(self.store),
            sessions=MemoryPlaybackSessions(self.store),
            delivery=self,  # type: ignore[arg-type]
            binding=Binding(self.clients, self.clock),
            clock=self.clock,
        )

    def enter(self, case: Case, state: State) -> None:
        self._states[case.stream_id] = self._states[case.session_id] = state
        session = _session(case, self.clock.now_ms(), state)
        sessions = {} if state.ended else {session.session_id: session}
        self.store.wallets[case.user_id] = Wallet(
            user_id=case.user_id, balance_millipoints=state.balance_millipoints, sessions=sessions
        )
        self.store.records[case.session_id] = _record(case, state)
        if state.bound_to:
            self.clients.put(media_key(case.session_id), case.user_id, state.bound_to, self.clock.now_ms())

    def authorize(self, token: str | None, session_id: str, client: Client | None) -> Decision:
        """Return the decision of the product's rule, unless the store is silent."""
        self.asked += 1
        if self._states.get(session_id, State()).silent:
            raise StoreUnavailable("silent")
        return self._rule.authorize(token, session_id, client)

    def desired(self, stream_id: str) -> DesiredState | None:
        """A stub of `DeliveryCache`."""
        state = self._states.get(stream_id)
        return state.desired if state else None

    def binding(self, stream_id: str) -> SessionBinding:
        return self._states[stream_id].binding

    def pace(self, stream_id: str) -> Pace:
        return Pace.SHORT


def _session(case: Case, now_ms: int, state: State) -> ActiveSession:
    paid = {"seq": 1, "paid_until_ms": now_ms + state.paid_ms, "granted_ms": LEASE_MS, "charged_millipoints": 10_000}
    terms = {"started_at_ms": now_ms - 60_000, "charge_millipoints": 10_000, "budget_millipoints": MILLIPOINTS_MAX}
    return ActiveSession(**_terms(case), **paid, **terms)


def _record(case: Case, state: State) -> SessionRecord:
    reconciled = {"due_shard": 0, "due_ms": 0, "end_reason": state.ended}
    return SessionRecord(**_terms(case), user_id=case.user_id, started_at_ms=0, **reconciled)


def _terms(case: Case) -> dict[str, Any]:
    names = {"session_id": case.session_id, "stream_id": case.stream_id, "kind": SessionKind.VIEWING}
    return {**names, "rate_millipoints_per_minute": 60_000, "lease_ms": LEASE_MS}
