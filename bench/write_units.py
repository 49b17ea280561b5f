"""What each operation on a wallet costs in DynamoDB's own units, as the store says: `make bench`.

Every request is asked for its consumed capacity (`ReturnConsumedCapacity`). The store is the local emulator, which
reckons as AWS documents it: a write unit is 1 KB of the larger of the old and the new item, a transaction counts twice,
each index that an item enters, leaves or changes in counts once, a read unit is 4 KB read consistently. What a refused
write costs it does not tell: at AWS as much as if it had been made.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chalicelib import config
from chalicelib.adapters import aws
from chalicelib.bootstrap import Container
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lease import Outcome
from chalicelib.domain.money.points import MILLIPOINTS_MAX
from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.money.wallets import PAGE_ENTRIES
from chalicelib.domain.streams.runtime import Outage
from chalicelib.services.money.billing import Billing
from chalicelib.services.money.session_opener import SessionOpener
from infra import migrations
from tests.fakes.simple import MemoryCounters, RecordingDenylist, SetClock, Switch
from tests.fixtures.emulator import forget_clients, point_at, start_emulator

BEATS = 60
LEASE_MS = 10_000


class Units:
    """Adds up what the store says that requests have consumed."""

    def __init__(self, client: Any) -> None:
        self.write: Counter[str] = Counter()
        self.read: Counter[str] = Counter()
        for operation in ("UpdateItem", "PutItem", "TransactWriteItems", "GetItem", "Query"):
            client.meta.events.register(f"provide-client-params.dynamodb.{operation}", _ask)
            client.meta.events.register(f"after-call.dynamodb.{operation}", self._note)

    def _note(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        said = parsed.get("ConsumedCapacity", [])
        for each in said if isinstance(said, list) else [said]:
            kind = self.read if model.name in ("GetItem", "Query") else self.write
            kind[each["TableName"].rsplit("-", 1)[1]] += each["CapacityUnits"]

    @contextmanager
    def spent(self, times: int, name: str) -> Iterator[None]:
        """Print what a block has consumed, for each of `times`."""
        self.write.clear()
        self.read.clear()
        yield
        write = sum(self.write.values()) / times
        tables = ", ".join(f"{table} {units / times:.2f}" for table, units in sorted(self.write.items()))
        print(f"| {name} | {write:.2f} | {sum(self.read.values()) / times:.2f} | {tables} |", flush=True)


def _ask(params: dict[str, Any], **_: Any) -> dict[str, Any]:
    return {**params, "ReturnConsumedCapacity": "TOTAL"}


class House:
    """Billing over the emulator's tables, with a clock that is set."""

    def __init__(self, settings: config.Settings) -> None:
        container = Container(settings)
        self.clock, self.delivery = SetClock(), Switch()
        container.clock = self.clock
        self.ledger, self.wallets = container.ledger, container.wallets
        shared: dict[str, Any] = {
            "wallets": container.wallets,
            "sessions": container.sessions,
            "ledger": container.ledger,
            "delivery": self.delivery,
            "counters": MemoryCounters(),
            "clock": self.clock,
        }
        self.billing = Billing(**shared, denylist=RecordingDenylist())
        self.session_opener = SessionOpener(**shared, billing=self.billing, sessions_per_user_max=8)

    def viewer(self) -> str:
        """Somebody with money."""
        user_id = new_user_id()
        self.wallets.create(user_id)
        self.wallets.begin_day(user_id, self.clock.now_ms() // 86_400_000)
        self.top_up(user_id)
        return user_id

    def top_up(self, user_id: str) -> None:
        """A payment."""
        self.ledger.credit(
            user_id=user_id, millipoints=10**8, payment_id=new_session_id(), note="top-up", by_user_id=user_id
        )

    def open(self, user_id: str, viewers_max: int = 0) -> str:
        """A session."""
        record = SessionRecord(
            session_id=new_session_id(),
            user_id=user_id,
            stream_id="stream-1",
            kind=SessionKind.VIEWING,
            started_at_ms=self.clock.now_ms(),
            rate_millipoints_per_minute=60_000,
            lease_ms=LEASE_MS,
            due_shard=0,
            due_ms=self.clock.now_ms(),
        )
        return self.session_opener.open(user_id, record, MILLIPOINTS_MAX, viewers_max).session.session_id


def beats(house: House, units: Units, sessions: int) -> None:
    """Beats on time, with so many sessions on one wallet."""
    user_id = house.viewer()
    watching = [house.open(user_id) for _ in range(sessions)]
    with units.spent(BEATS * sessions, f"beat on time, {sessions} session(s), pages included"):
        for seq in range(2, BEATS + 2):
            house.clock.advance(LEASE_MS)
            for session_id in watching:
                assert house.billing.heartbeat(user_id, session_id, seq).outcome is Outcome.ON_TIME


def others(house: House, units: Units) -> None:
    """Everything that is not a beat on time."""
    user_id = house.viewer()
    with units.spent(1, "start"):
        session_id = house.open(user_id)
    house.clock.advance(LEASE_MS + 60_000)
    with units.spent(1, "late beat (refused, then written)"):
        house.billing.heartbeat(user_id, session_id, 2)
    with units.spent(1, "early beat (refused)"):
        house.billing.heartbeat(user_id, session_id, 3)
    house.delivery.on = False
    house.delivery.outages = (Outage(since_ms=house.clock.now_ms() + 1_000, until_ms=None),)
    house.clock.advance(6_000)
    with units.spent(1, "first beat in an outage (credit, then free lease)"):
        house.billing.heartbeat(user_id, session_id, 3)
    house.clock.advance(LEASE_MS)
    with units.spent(BEATS, "further beat in an outage, pages included"):
        for seq in range(4, BEATS + 4):
            house.billing.heartbeat(user_id, session_id, seq)
            house.clock.advance(LEASE_MS)
    with units.spent(1, "end with a refund"):
        house.billing.end(user_id, session_id, EndReason.VIEWER_STOPPED)
    with units.spent(PAGE_ENTRIES, "top-up, pages included"):
        for _ in range(PAGE_ENTRIES):
            house.top_up(user_id)
    house.delivery.on = True
    with units.spent(1, "start on a stream with a limit of viewers"):
        house.open(user_id, viewers_max=9)


def sizes(house: House) -> Callable[[int], int]:
    """How large the wallet item is with so many sessions that have just begun, in bytes as DynamoDB counts them."""

    def size(sessions: int) -> int:
        user_id = house.viewer()
        for _ in range(sessions):
            house.open(user_id)
        key = {"user_id": {"S": user_id}}
        item = aws.client("dynamodb").get_item(TableName=house.wallets._table, Key=key)["Item"]
        return _bytes({"M": item}) - 3

    return size


def _bytes(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    if kind == "M":
        return 3 + sum(len(name) + 1 + _bytes(part) for name, part in value.items())
    if kind == "N":
        return len(str(value).lstrip("-")) // 2 + 2
    return len(str(value).encode())


def main() -> None:
    """Print the table of `docs/billing.md`."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        emulator = start_emulator(Path(directory))
        try:
            point_at(emulator, patch, "bench")
            settings = config.load()
            migrations.apply(settings)
            house = House(settings)
            size = sizes(house)
            print("wallet item: " + ", ".join(f"{n} session(s) {size(n)} B" for n in (0, 1, 2, 8)))
            print("\n| operation | write units | read units | of the writes, by table |")
            print("| --- | --- | --- | --- |")
            units = Units(aws.client("dynamodb"))
            for sessions in (1, 2, 8):
                beats(house, units, sessions)
            others(house, units)
        finally:
            forget_clients()
            emulator.stop()


if __name__ == "__main__":
    main()
