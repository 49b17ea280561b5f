"""The access rule over tables in memory, and the cases of vectors: a session with its tokens."""

from typing import Any

from chalicelib.adapters.access.jwt_tokens import JwtTokens
from chalicelib.domain.access.clients import Client, media_key
from chalicelib.domain.access.key_sets import from_document
from chalicelib.domain.access.tokens import PlayClaims
from chalicelib.domain.ids import session_id_of
from chalicelib.domain.money.lease import GRACE_MS
from chalicelib.domain.money.wallets import Wallet
from chalicelib.domain.streams.stream import DesiredState, SessionBinding
from chalicelib.ports.common import StoreUnavailable
from chalicelib.services.access.access import Decision
from tests.fakes.money.sessions import active_session, session_record
from tests.fakes.simple import SetClock
from tests.fakes.stores import memory_services
from tests.vectors.forged import KEY_SETS, forged
from tests.vectors.model import ALLOW, STATUS_OF_CODE, Answer, Front, State, Vector


class Case:
    """A vector's session, stream and tokens."""

    def __init__(self, vector: Vector, now_ms: int) -> None:
        self.vector = vector
        self.now_ms = now_ms
        self.session_id = session_id_of("session", vector.name)
        self.other_id = session_id_of("other", vector.name)
        self.user_id = "u_" + self.session_id[:20]
        self.stream_id = "s-" + self.session_id
        self.tokens = JwtTokens(lambda: from_document(KEY_SETS))

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
        services = memory_services()
        services.delivery, stores = self, services.stores
        stores.tokens = JwtTokens(lambda: from_document(KEY_SETS))
        stores.clock = self.clock = SetClock(now_ms)
        self.store, self.clients = stores.rows, stores.clients
        # How often the rule was asked.
        self.asked = 0
        self._states: dict[str, State] = {}
        self._rule = services.access

    def enter(self, case: Case, state: State) -> None:
        self._states[case.stream_id] = self._states[case.session_id] = state
        now_ms, ids = self.clock.now_ms(), {"session_id": case.session_id, "stream_id": case.stream_id}
        session = active_session(now_ms, **ids, paid_until_ms=now_ms + state.paid_ms)
        sessions = {} if state.ended else {session.session_id: session}
        self.store.wallets[case.user_id] = Wallet(
            user_id=case.user_id, balance_millipoints=state.balance_millipoints, sessions=sessions
        )
        record = session_record(now_ms, **ids, user_id=case.user_id, end_reason=state.ended)
        self.store.records[case.session_id] = record
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
