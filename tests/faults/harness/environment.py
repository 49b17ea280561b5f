"""Where faults happen: function instances that share a stage but not a clock, streams with fixed terms, and viewers."""

import secrets
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.ids import new_user_id
from chalicelib.domain.ingest import Ingest, IngestMode
from chalicelib.domain.outages import reported
from chalicelib.domain.streams import Claim, DesiredState, Runtime, RuntimeState, Stream
from chalicelib.domain.tokens import AccessClaims
from chalicelib.domain.users import Role, User
from tests.faults.harness.store_faults import Network

# No clock of a function instance is ever further than this from the true time.
SKEW_MS = 3_000
# How long before its arrival a request may have been made: no round begins earlier before a midnight.
LATE_MS = 240_000
# A function sees a runtime through a cache of a second, and its clock may be set while it does.
OLD_NEWS_MS = 1_000 + 2 * SKEW_MS
BEGIN_MS = 1_800_000_000_000
DAY_MS = 86_400_000
FOR_EVER_MS = 10**12
# The daily cap of a viewer without one.
NO_CAP = 10**15


class Time:
    """The true time, which only tests know."""

    def __init__(self, now_ms: int = BEGIN_MS) -> None:
        self.now_ms = now_ms
        self._lock = threading.Lock()

    def advance(self, ms: int) -> None:
        with self._lock:
            self.now_ms += ms

    def to_midnight(self, before_ms: int) -> None:
        """Go on to so long before the next midnight (UTC)."""
        with self._lock:
            self.now_ms = (self.now_ms + before_ms + DAY_MS) // DAY_MS * DAY_MS - before_ms


@dataclass(frozen=True)
class Terms:
    """A stream as it is sold; every start of it asks for the same most to spend, so that it is known afterwards."""

    stream_id: str
    rate: int
    lease_ms: int
    max_points: int | None = None
    viewers_max: int = 0


@dataclass(frozen=True)
class Down:
    """An outage as it truly was: when the last playlist came, when the worker said so, when it was live again."""

    since_ms: int
    known_ms: int
    until_ms: int | None = None


def new_terms() -> tuple[Terms, ...]:
    """Streams of every kind that matters: plain, with roundings, with a maximum, with short and long leases, free, and
    with a limit of viewers.
    """
    mark = secrets.token_hex(3)
    return (
        Terms(f"plain-{mark}", 60_000, 10_000),
        Terms(f"odd-{mark}", 77_777, 7_001),
        Terms(f"limited-{mark}", 60_000, 10_000, max_points=23),
        Terms(f"short-{mark}", 123_457, 5_000),
        Terms(f"long-{mark}", 59_999, 60_000),
        Terms(f"free-{mark}", 0, 10_000),
        Terms(f"few-{mark}", 60_000, 10_000, viewers_max=3),
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
        self._claims: dict[str, Claim] = {}
        self._live_since: dict[str, int] = {}
        self._outages: dict[str, list[Down]] = {}
        self._access: dict[str, str] = {}
        # Who may have taken a place of a stream that has a limit of them.
        self.counted_users: set[str] = set()
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
                viewers_max=each.viewers_max,
                desired_state=DesiredState.LIVE,
            )
            self.observer.services.stream_table.add(stream)
            now_ms = self.time.now_ms
            claim = self.observer.services.runtimes.claim(each.stream_id, "worker-1", now_ms, now_ms + FOR_EVER_MS)
            assert claim is not None, f"the claim on {each.stream_id} was refused"
            self._claims[each.stream_id] = claim
            self._outages[each.stream_id] = []
            self._report(each.stream_id, RuntimeState.LIVE, now_ms)
            # The stream was down from its claim on, before anyone could watch it.
            self._outages[each.stream_id] = [Down(now_ms, now_ms, now_ms)]

    @property
    def outages(self) -> dict[str, tuple[Down, ...]]:
        """The outages of each stream, oldest first."""
        with self._one_worker:
            return {stream_id: tuple(downs) for stream_id, downs in self._outages.items()}

    def deliver(self, stream_id: str, on: bool, ago_ms: int = 0) -> None:
        """The worker reports the stream live, or stalled since the last playlist that came so long ago."""
        with self._one_worker, self.network.under(None):
            downs, now_ms = self._outages[stream_id], self.time.now_ms
            is_down = bool(downs) and downs[-1].until_ms is None
            # Nothing changes, or not within the time that a worker needs to see it.
            if on is not is_down or now_ms <= self._live_since[stream_id]:
                return
            if on:
                self._report(stream_id, RuntimeState.LIVE, now_ms)
                downs[-1] = replace(downs[-1], until_ms=now_ms)
            else:
                since_ms = max(self._live_since[stream_id] + 1, now_ms - ago_ms)
                self._report(stream_id, RuntimeState.STALLED, since_ms)
                downs.append(Down(since_ms, now_ms))

    def _report(self, stream_id: str, state: RuntimeState, manifest_ms: int) -> None:
        """As the worker's reporter does it."""
        runtimes, claim, now_ms = self.observer.services.runtimes, self._claims[stream_id], self.time.now_ms
        runtime = Runtime(
            stream_id=stream_id, state=state, claim=claim, reported_at_ms=now_ms, last_manifest_at_ms=manifest_ms
        )
        assert runtimes.report(claim, reported(runtimes.get(stream_id), runtime, now_ms)), stream_id
        if state is RuntimeState.LIVE:
            self._live_since[stream_id] = now_ms

    def access(self, user_id: str, role: Role) -> str:
        """An access token of this user."""
        if user_id not in self._access:
            expires_at_ms = self.time.now_ms + FOR_EVER_MS
            claims = AccessClaims(user_id=user_id, role=role, expires_at_ms=expires_at_ms)
            self._access[user_id] = self.tokens.sign_access(claims)
        return self._access[user_id]

    def new_user(self, role: Role = Role.VIEWER) -> str:
        """An account with an empty wallet."""
        user_id = new_user_id()
        services = self.observer.services
        services.users.add(
            User(user_id=user_id, email=f"{user_id}@local", password_hash="none", role=role, created_at_ms=0)
        )
        services.wallets.create(user_id)
        return user_id
