"""Measure what each operation on a wallet costs in DynamoDB's units: `make bench`.

Every request asks for its consumed capacity (`ReturnConsumedCapacity`). The store is the local emulator, which follows
AWS's documentation. A write unit is 1 KB of the larger of the old and the new item. A transaction counts twice. Each
index that an item enters, leaves or changes in counts once. A read unit is 4 KB of a consistent read. The cost of a
refused write is not reported; AWS charges it as a write.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chalicelib import config
from chalicelib.adapters import aws
from chalicelib.bootstrap import Container
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lease import Outcome
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.reconciliation import reconcile
from chalicelib.domain.money.served_spans import Span
from chalicelib.domain.money.usage import Served
from chalicelib.domain.money.wallets import PAGE_ENTRIES
from chalicelib.domain.streams.runtime import Outage
from chalicelib.ports.money.reconciliation import Due
from chalicelib.ports.money.usage import Usage
from tests.fakes.access.denylist import FakeDenylist
from tests.fakes.money.sessions import session_record
from tests.fakes.simple import MemoryCounters, SetClock, Switch
from tests.fixtures.emulator import private_stage

BEATS = 60
FLUSHES = 360
LEASE_MS = 10_000


class Units:
    """A sum of the capacity that requests consumed, as the store reports it."""

    def __init__(self, client: Any) -> None:
        self.write: Counter[str] = Counter()
        self.read: Counter[str] = Counter()
        for operation in ("UpdateItem", "PutItem", "TransactWriteItems", "GetItem", "Query"):
            client.meta.events.register(f"provide-client-params.dynamodb.{operation}", _ask)
            client.meta.events.register(f"after-call.dynamodb.{operation}", self._note)

    def _note(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        for each in consumed if isinstance(consumed, list) else [consumed]:
            kind = self.read if model.name in ("GetItem", "Query") else self.write
            kind[each["TableName"].rsplit("-", 1)[1]] += each["CapacityUnits"]

    @contextmanager
    def spent(self, times: int, name: str) -> Iterator[None]:
        """Print what a block consumes, divided by `times`."""
        self.write.clear()
        self.read.clear()
        yield
        write = sum(self.write.values()) / times
        tables = ", ".join(f"{table} {units / times:.2f}" for table, units in sorted(self.write.items()))
        print(f"| {name} | {write:.2f} | {sum(self.read.values()) / times:.2f} | {tables} |", flush=True)


def _ask(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    return {**params, "ReturnConsumedCapacity": "TOTAL"}


class WalletBench:
    """Billing on the emulator's tables, with a clock that is set."""

    def __init__(self, settings: config.Settings) -> None:
        services: Any = Container(replace(settings, sessions_per_user_max=8))
        services.delivery = self.delivery = Switch()
        services.stores.clock = self.clock = SetClock()
        services.stores.counters, services.stores.denylist = MemoryCounters(), FakeDenylist()
        self.wallets, self.ledger = services.stores.wallets, services.ledger
        self.billing, self.session_opener = services.billing, services.session_opener
        self.statements, self.settlements = services.statements, services.settlements
        self.usage = services.stores.usage
        self.accounts, self.auth = services.accounts, services.auth
        self.reconciliations = services.stores.reconciliations
        self.sessions_table = settings.table_prefix + "playback_sessions"

    def viewer(self, millipoints: int = 10**8) -> str:
        """Create a viewer with a balance."""
        user_id = new_user_id()
        self.wallets.create(user_id)
        self.wallets.begin_day(user_id, self.clock.now_ms() // 86_400_000)
        self.top_up(user_id, millipoints)
        return user_id

    def top_up(self, user_id: str, millipoints: int = 10**8) -> None:
        """Credit a payment."""
        self.ledger.credit(
            user_id=user_id, millipoints=millipoints, payment_id=new_session_id(), note="top-up", by_user_id=user_id
        )

    def open(self, user_id: str, viewers_max: int = 0) -> str:
        """Open a session and return its id."""
        record = session_record(self.clock.now_ms(), session_id=new_session_id(), user_id=user_id)
        return str(self.session_opener.open(user_id, record, MILLIPOINTS_MAX, viewers_max).session.session_id)


def beats(bench: WalletBench, units: Units, sessions: int) -> None:
    """Measure heartbeats on time, for a number of sessions on one wallet."""
    user_id = bench.viewer()
    session_ids = [bench.open(user_id) for _ in range(sessions)]
    with units.spent(BEATS * sessions, f"beat on time, {sessions} session(s), pages included"):
        for seq in range(2, BEATS + 2):
            bench.clock.advance(LEASE_MS)
            for session_id in session_ids:
                assert bench.billing.heartbeat(user_id, session_id, seq).outcome is Outcome.ON_TIME


def other_operations(bench: WalletBench, units: Units) -> None:
    """Measure all operations except heartbeats on time."""
    user_id = bench.viewer()
    with units.spent(1, "start"):
        session_id = bench.open(user_id)
    bench.clock.advance(LEASE_MS + 60_000)
    with units.spent(1, "late beat (refused, then written)"):
        bench.billing.heartbeat(user_id, session_id, 2)
    with units.spent(1, "early beat (refused)"):
        bench.billing.heartbeat(user_id, session_id, 3)
    bench.delivery.on = False
    bench.delivery.outages = (Outage(since_ms=bench.clock.now_ms() + 1_000, until_ms=None),)
    bench.clock.advance(6_000)
    with units.spent(1, "first beat in an outage (credit, then free lease)"):
        bench.billing.heartbeat(user_id, session_id, 3)
    bench.clock.advance(LEASE_MS)
    with units.spent(BEATS, "further beat in an outage, pages included"):
        for seq in range(4, BEATS + 4):
            bench.billing.heartbeat(user_id, session_id, seq)
            bench.clock.advance(LEASE_MS)
    with units.spent(1, "end with a refund"):
        bench.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)
    with units.spent(PAGE_ENTRIES, "top-up, pages included"):
        for _ in range(PAGE_ENTRIES):
            bench.top_up(user_id)
    bench.delivery.on = True
    with units.spent(1, "start on a stream with a limit of viewers"):
        bench.open(user_id, viewers_max=9)
    user_id = bench.viewer()
    session_id = bench.open(user_id)
    with units.spent(1, "end with a refund, of a session just begun"):
        bench.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)


def settlements(bench: WalletBench, units: Units) -> None:
    """Measure the settlement of a session, and the start that pays its debt."""
    user_id = bench.viewer(LEASE_MS)
    record = bench.billing.end(user_id, bench.open(user_id), EndReason.VIEWER_STOPPED, as_of_ms=bench.clock.now_ms())
    bench.ledger.credit(
        user_id=user_id, millipoints=-LEASE_MS, payment_id=new_session_id(), note="", by_user_id=user_id
    )
    entries = list(bench.statements.session_entries(record))
    with units.spent(1, "settlement that charges"):
        record = bench.settlements.settle(record, entries, Served(media_ms=4_000, segments=2, requests=2))
    assert record.settled_debt_millipoints == 4_000, record
    # Of a session that was settled in between, the second result says nothing new.
    for what in ("first", "same"):
        assert bench.reconciliations.make_due(record.session_id, bench.clock.now_ms())
        row = reconcile(record, entries, None, bench.clock.now_ms(), measured=False)
        due = Due(record.session_id, _due_ms(record.session_id, bench))
        with units.spent(1, f"{what} result of a reconciliation, with the money totals"):
            assert bench.reconciliations.settle(row, due, None)
    bench.top_up(user_id)
    with units.spent(1, "start that pays a debt"):
        bench.open(user_id)


def _due_ms(session_id: str, bench: WalletBench) -> int:
    """Return when a session is due for reconciliation."""
    key = {"session_id": {"S": session_id}}
    row = aws.client("dynamodb").get_item(TableName=bench.sessions_table, Key=key)["Item"]
    return int(row["reconcile_at_ms"]["N"])


def accounts(bench: WalletBench, units: Units) -> None:
    """Measure what changes an account."""
    with units.spent(1, "new account with its wallet"):
        user = bench.accounts.create("viewer@example.org", "a good password", Role.VIEWER)
    with units.spent(1, "login, with its client"):
        bench.auth.login(user.email, "a good password", ip="192.0.2.1", user_agent="mpv")
    with units.spent(1, "another role"):
        bench.accounts.change(user.user_id, role=Role.FINANCE)
    with units.spent(1, "another password"):
        bench.accounts.change(user.user_id, password=f"another than {user.email}")


def flushes(usage: Usage, units: Units) -> None:
    """Measure what a log follower writes for one session of an hour, in batches of 10 s."""
    served = Served(
        media_ms=10_000, media_bytes=4_000_000, segments=5, requests=15, first_at_ms=10**12, last_at_ms=10**12
    )

    def add(spans_of: Callable[[int], list[Span]]) -> None:
        session_id = new_session_id()
        for batch in range(FLUSHES):
            spans = spans_of(batch + 1)
            assert usage.add(session_id, served, follower="0a1b2c3d", batch=batch, now_ms=10**12, spans=spans)

    def seeking(seeks: int) -> Callable[[int], list[Span]]:
        return lambda batch: [Span("1-1-", n * 99, n * 99 + 50, 100_000) for n in range(min(seeks, batch))]

    with units.spent(FLUSHES, "flush of a session, without spans"):
        add(lambda _: [])
    with units.spent(FLUSHES, "flush of a session that plays on"):
        add(lambda batch: [Span("1-1-", 4_000, 4_000 + 5 * batch, 10_000 * batch)])
    for seeks in (10, 64):
        with units.spent(FLUSHES, f"flush of a session with {seeks} seeks"):
            add(seeking(seeks))
    with units.spent(FLUSHES, "report of a follower, of four"):
        for number in range(FLUSHES):
            usage.mark(f"0a1b2c3{number % 4}", 10**12 + number)


def size_of_item(bench: WalletBench, sessions: int) -> int:
    """Return the bytes of a wallet item with new sessions, as DynamoDB counts them."""
    user_id = bench.viewer()
    for _ in range(sessions):
        bench.open(user_id)
    key = {"user_id": {"S": user_id}}
    item = aws.client("dynamodb").get_item(TableName=bench.wallets._table, Key=key)["Item"]
    return _bytes({"M": item}) - 3


def _bytes(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    if kind == "M":
        return 3 + sum(len(name) + 1 + _bytes(part) for name, part in value.items())
    if kind == "N":
        return len(str(value).lstrip("-")) // 2 + 2
    return len(str(value).encode())


def main() -> None:
    """Print the table of `docs/billing.md`."""
    with private_stage() as settings:
        bench = WalletBench(settings)
        print("wallet item: " + ", ".join(f"{n} session(s) {size_of_item(bench, n)} B" for n in (0, 1, 2, 8)))
        print("\n| operation | write units | read units | of the writes, by table |")
        print("| --- | --- | --- | --- |")
        units = Units(aws.client("dynamodb"))
        for sessions in (1, 2, 8):
            beats(bench, units, sessions)
        other_operations(bench, units)
        settlements(bench, units)
        accounts(bench, units)
        flushes(bench.usage, units)


if __name__ == "__main__":
    main()
