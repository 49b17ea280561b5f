"""A stage with live streams, and function instances that share it but not their clocks."""

import secrets
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.access.tokens import AccessClaims
from chalicelib.domain.accounts.users import Role, User
from chalicelib.domain.ids import new_user_id
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.outages import with_outages
from chalicelib.domain.streams.runtime import Claim, Runtime, RuntimeState
from chalicelib.domain.streams.stream import DesiredState, Stream
from tests.faults.harness.gateway import Gateway
from tests.faults.harness.store_faults import Network

# The clock of a function instance differs from the true time by this at most.
SKEW_MS = 3_000
# A request may arrive this long after it was made, so no round begins earlier before a midnight.
DELAY_MS_MAX = 240_000
# A function caches a runtime for a second, and its clock may be set meanwhile.
CACHE_MS_MAX = 1_000 + 2 * SKEW_MS
BEGIN_MS = 1_800_000_000_000
DAY_MS = 86_400_000
LONG_MS = 10**12
# The daily cap of a viewer without one.
NO_CAP = 10**15


class TrueTime:
    """The time that only tests see. Function instances have separate clocks."""

    def __init__(self, now_ms: int = BEGIN_MS) -> None:
        self.now_ms = now_ms
        self._lock = threading.Lock()

    def advance(self, ms: int) -> None:
        with self._lock:
            self.now_ms += ms

    def to_midnight(self, before_ms: int) -> None:
        """Advance to `before_ms` before the next midnight (UTC)."""
        with self._lock:
            self.now_ms = (self.now_ms + before_ms + DAY_MS) // DAY_MS * DAY_MS - before_ms


@dataclass(frozen=True)
class StreamTerms:
    """The price and the limits of a stream. Every start of it asks for the same `max_points`."""

    stream_id: str
    rate: int
    lease_ms: int
    max_points: int | None = None
    viewers_max: int = 0


@dataclass(frozen=True)
class Outage:
    """An outage: the time of the last playlist, of the worker's report, and of its end."""

    since_ms: int
    known_ms: int
    until_ms: int | None = None


def new_terms() -> tuple[StreamTerms, ...]:
    """Return a stream of each kind: plain, with roundings, with a maximum, short and long leases, free, few viewers."""
    mark = secrets.token_hex(3)
    return (
        StreamTerms(f"plain-{mark}", 60_000, 10_000),
        StreamTerms(f"odd-{mark}", 77_777, 7_001),
        StreamTerms(f"limited-{mark}", 60_000, 10_000, max_points=23),
        StreamTerms(f"short-{mark}", 123_457, 5_000),
        StreamTerms(f"long-{mark}", 59_999, 60_000),
        StreamTerms(f"free-{mark}", 0, 10_000),
        StreamTerms(f"few-{mark}", 60_000, 10_000, viewers_max=3),
    )


class FunctionInstance:
    """Services with their own caches and their own clock, as in one function instance."""

    def __init__(self, environment: "Environment", offset_ms: int = 0) -> None:
        self._environment = environment
        self.offset_ms = offset_ms
        self.restart()

    def restart(self) -> None:
        """Replace the process: all caches are empty."""
        self.services = Container(self._environment.settings)
        self.services.stores.clock = self
        self.services.stores.tokens = self._environment.tokens

    def now_ms(self) -> int:
        return self._environment.time.now_ms + self.offset_ms


class Environment:
    """A stage in the emulator with live streams, and the network to it."""

    def __init__(self, settings: Settings, network: Network, denylist_dir: Path, time: TrueTime | None = None) -> None:
        self.settings = replace(settings, denylist_dir=denylist_dir)
        self.network = network
        self.time = time or TrueTime()
        self.tokens = Container(self.settings).stores.tokens
        self.terms = {each.stream_id: each for each in new_terms()}
        self._one_worker = threading.Lock()
        self._claims: dict[str, Claim] = {}
        self._live_since: dict[str, int] = {}
        self._outages: dict[str, list[Outage]] = {}
        self._access: dict[str, str] = {}
        # Users who may have taken a place of a stream with a limit of viewers.
        self.counted_users: set[str] = set()
        # The instance that tests read with: its clock is right, and it meets no faults.
        self.observer = FunctionInstance(self)
        self.gateway = Gateway(self.observer.services.stores.usage, self.settings.table_prefix, self.time.now_ms)
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
            self.observer.services.stores.streams.add(stream)
            now_ms = self.time.now_ms
            claim = self.observer.services.stores.runtimes.claim(each.stream_id, "worker-1", now_ms, now_ms + LONG_MS)
            assert claim is not None, f"the claim on {each.stream_id} was refused"
            self._claims[each.stream_id] = claim
            self._outages[each.stream_id] = []
            self._report(each.stream_id, RuntimeState.LIVE, now_ms)
            # The stream was down from its claim on, before anyone could watch it.
            self._outages[each.stream_id] = [Outage(now_ms, now_ms, now_ms)]

    @property
    def outages(self) -> dict[str, tuple[Outage, ...]]:
        """Return the outages of each stream, oldest first."""
        with self._one_worker:
            return {stream_id: tuple(outages) for stream_id, outages in self._outages.items()}

    def report_stream(self, stream_id: str, on: bool, ago_ms: int = 0) -> None:
        """Report the stream as live, or as stalled since a playlist that came `ago_ms` ago."""
        with self._one_worker, self.network.injecting(None):
            outages, now_ms = self._outages[stream_id], self.time.now_ms
            is_down = bool(outages) and outages[-1].until_ms is None
            # A worker cannot see a second change within the same moment.
            if on is not is_down or now_ms <= self._live_since[stream_id]:
                return
            if on:
                self._report(stream_id, RuntimeState.LIVE, now_ms)
                outages[-1] = replace(outages[-1], until_ms=now_ms)
            else:
                since_ms = max(self._live_since[stream_id] + 1, now_ms - ago_ms)
                self._report(stream_id, RuntimeState.STALLED, since_ms)
                outages.append(Outage(since_ms, now_ms))

    def _report(self, stream_id: str, state: RuntimeState, manifest_ms: int) -> None:
        runtimes, claim, now_ms = self.observer.services.stores.runtimes, self._claims[stream_id], self.time.now_ms
        runtime = Runtime(
            stream_id=stream_id, state=state, claim=claim, reported_at_ms=now_ms, last_manifest_at_ms=manifest_ms
        )
        assert runtimes.report(claim, with_outages(runtimes.get(stream_id), runtime, now_ms)), stream_id
        if state is RuntimeState.LIVE:
            self._live_since[stream_id] = now_ms

    def access(self, user_id: str, role: Role) -> str:
        if user_id not in self._access:
            expires_at_ms = self.time.now_ms + LONG_MS
            claims = AccessClaims(user_id=user_id, role=role, expires_at_ms=expires_at_ms)
            self._access[user_id] = self.tokens.sign_access(claims)
        return self._access[user_id]

    def new_user(self, role: Role = Role.VIEWER) -> str:
        """Add an account with an empty wallet."""
        user_id = new_user_id()
        services = self.observer.services
        services.stores.users.add(
            User(user_id=user_id, email=f"{user_id}@local", password_hash="none", role=role, created_at_ms=0)
        )
        services.stores.wallets.create(user_id)
        return user_id
