"""Where faults happen: function instances that share a stage but not a clock, streams with fixed terms, and viewers."""

import secrets
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.ids import new_user_id
from chalicelib.domain.streams import DesiredState, Ingest, IngestMode, Runtime, RuntimeState, Stream
from chalicelib.domain.users import Role, User
from tests.faults.faults import Network

# No clock of a function instance is ever further than this from the true time.
SKEW_MS = 3_000
BEGIN_MS = 1_800_000_000_000
FOR_EVER_MS = 10**12


class Time:
    """The true time, which only tests know."""

    def __init__(self, now_ms: int = BEGIN_MS) -> None:
        self.now_ms = now_ms
        self._lock = threading.Lock()

    def advance(self, ms: int) -> None:
        with self._lock:
            self.now_ms += ms


@dataclass(frozen=True)
class Terms:
    """A stream as it is sold; every start of it asks for the same most to spend, so that it is known afterwards."""

    stream_id: str
    rate: int
    lease_ms: int
    max_points: int | None = None


def new_terms() -> tuple[Terms, ...]:
    """Streams of every kind that matters: plain, with roundings, with a maximum, with short and long leases, free."""
    mark = secrets.token_hex(3)
    return (
        Terms(f"plain-{mark}", 60_000, 10_000),
        Terms(f"odd-{mark}", 77_777, 7_001),
        Terms(f"limited-{mark}", 60_000, 10_000, max_points=23),
        Terms(f"short-{mark}", 123_457, 5_000),
        Terms(f"long-{mark}", 59_999, 60_000),
        Terms(f"free-{mark}", 0, 10_000),
    )


class Instance:
    """One function instance: services of its own, with caches of their own, and a clock of its own."""

    def __init__(self, world: "World", offset_ms: int = 0) -> None:
        self._world = world
        self.offset_ms = offset_ms
        self.restart()

    def restart(self) -> None:
        """A new process takes its place."""
        self.services = Container(self._world.settings)
        self.services.clock = self  # type: ignore[misc,assignment]
        self.services.tokens = self._world.tokens  # type: ignore[misc]

    def now_ms(self) -> int:
        return self._world.time.now_ms + self.offset_ms


class World:
    """A stage in the emulator with streams that are live, and the network to it."""

    def __init__(self, settings: Settings, network: Network, denylist_dir: Path, time: Time | None = None) -> None:
        self.settings = replace(settings, denylist_dir=denylist_dir)
        self.network = network
        self.time = time or Time()
        self.tokens = Container(self.settings).tokens
        self.terms = {each.stream_id: each for each in new_terms()}
        self._one_worker = threading.Lock()
        # What tests look with: its clock is right, and it meets no faults.
        self.observer = Instance(self)
        self.operator_id = self.new_user(Role.ADMIN)
        for each in self.terms.values():
            stream = Stream(
                stream_id=each.stream_id,
                title="A stream",
                ingest=Ingest(mode=IngestMode.TEST),
                rate_millipoints_per_minute=each.rate,
                lease_ms=each.lease_ms,
                desired_state=DesiredState.LIVE,
            )
            self.observer.services.stream_table.add(stream)
            self.deliver(each.stream_id, True)

    def deliver(self, stream_id: str, on: bool) -> None:
        """The worker reports the stream live, or stalled."""
        runtimes, now_ms = self.observer.services.runtimes, self.time.now_ms
        state = RuntimeState.LIVE if on else RuntimeState.STALLED
        with self._one_worker, self.network.under(None):
            claim = runtimes.claim(stream_id, "worker-1", now_ms, now_ms + FOR_EVER_MS)
            assert claim is not None, f"the claim on {stream_id} was refused"
            runtime = Runtime(stream_id=stream_id, state=state, claim=claim, reported_at_ms=now_ms)
            assert runtimes.report(claim, runtime), f"the report on {stream_id} was refused"

    def new_user(self, role: Role = Role.VIEWER) -> str:
        """An account with an empty wallet."""
        user_id = new_user_id()
        services = self.observer.services
        services.users.add(
            User(user_id=user_id, email=f"{user_id}@local", password_hash="none", role=role, created_at_ms=0)
        )
        services.wallets.create(user_id)
        return user_id
