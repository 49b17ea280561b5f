"""Measure how long a page of each list takes in a large stage: `python -m bench.lists`.

It fills a private emulator with 100,000 accounts, 200,000 sessions of the last 300 days and 100,000 payments. Then it
reads pages of 50 rows through the services, as the API does: first pages and the next ones, with changing filters.
Times are without HTTP. The emulator sorts a whole partition of an index for each query, which DynamoDB does not.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.adapters.list_keys import account_keys, active_keys, ended_keys, payment_keys
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import new_session_id, new_user_id
from chalicelib.domain.money.lists import PaymentFilter, SessionFilter
from chalicelib.domain.money.sessions import DUE_SHARDS
from chalicelib.domain.money.wallets import MS_PER_DAY
from chalicelib.ports.common import ListPage
from tests.fakes.money.sessions import session_record
from tests.fixtures.emulator import private_stage

USERS, SESSIONS, PAYMENTS = 100_000, 200_000, 100_000
# One session in so many is active.
ACTIVE_EVERY = 100
STREAMS = 200
DAYS = 300
HOUR_MS = 3_600_000
BATCH, WRITERS = 25, 4
BATCH_TRIES = 10
LIMIT = 50
# For each list: samples, each of so many pages one after the other.
SAMPLES, PAGES = 20, 3
FIRST_NAMES = """anna ben carla david elena felix greta hugo ines jan karin leo maria nora oskar paula quentin rosa sven
tina ulf vera willi xenia yusuf zoe mia max lena lukas sofia jonas emma paul lea tim julia tom sara nico"""
SURNAMES = """adler bauer conrad dietz ebert fischer graf huber ibsen jung klein lang meyer neumann otto peters quandt
richter schmidt thomas ullrich vogel weber young ziegler"""
REASONS = {
    EndReason.VIEWER_STOPPED: 60,
    EndReason.LEASE_EXPIRED: 18,
    EndReason.BALANCE_EXHAUSTED: 10,
    EndReason.STREAM_STOPPED: 6,
    EndReason.STREAM_PAUSED: 3,
    EndReason.SUPERSEDED: 1,
    EndReason.MAX_POINTS_REACHED: 1,
    EndReason.KICKED: 1,
}
SOURCES = {"shop": 90, "bank": 9, "operator": 1}
ROLES = {Role.VIEWER: 998, Role.OPERATOR: 1, Role.FINANCE: 1}

Row = dict[str, Any]


class Stage:
    """The rows of a large stage, made from a seed."""

    def __init__(self, users: int, now_ms: int, seed: int) -> None:
        self.chance = random.Random(seed)  # nosec B311
        self.now_ms = now_ms
        self.user_ids = [new_user_id() for _ in range(users)]
        first_names, surnames = FIRST_NAMES.split(), SURNAMES.split()
        named = (f"{self.chance.choice(first_names)}.{self.chance.choice(surnames)}{n}" for n in range(users))
        self.emails = [f"{name}@example.org" for name in named]

    def chosen(self, weights: dict[Any, int]) -> Any:
        """Return one of the keys, by their weights."""
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def moment_ms(self) -> int:
        """Return a time within the last `DAYS` days."""
        return self.now_ms - self.chance.randrange(HOUR_MS, DAYS * MS_PER_DAY)

    def accounts(self) -> Iterator[Row]:
        """Yield the rows of all accounts and their emails."""
        for user_id, email in zip(self.user_ids, self.emails, strict=True):
            role, disabled = self.chosen(ROLES), self.chance.random() < 0.01
            account = {"user_id": user_id, "email": email, "role": role, "disabled": disabled}
            # No password has the id as its hash.
            account |= {"password_hash": user_id, "created_at_ms": self.moment_ms(), "families": {}}
            yield {**account, **account_keys(email, role, disabled=disabled)}
            yield {"user_id": f"email:{email}", "owner_id": user_id}

    def sessions(self, count: int) -> Iterator[Row]:
        """Yield the records of sessions, of which one in `ACTIVE_EVERY` is active."""
        for number in range(count):
            stream_id, session_id = f"stream-{self.chance.randrange(STREAMS)}", new_session_id()
            user_id = self.chance.choice(self.user_ids)
            if number % ACTIVE_EVERY == 0:
                started_at_ms, shard = self.now_ms - self.chance.randrange(HOUR_MS), self.chance.randrange(DUE_SHARDS)
                named = {"session_id": session_id, "user_id": user_id, "stream_id": stream_id, "due_shard": shard}
                record = session_record(started_at_ms, **named, due_ms=started_at_ms)
                place = active_keys(session_id, shard, started_at_ms)
                yield {**vars(record), "active_stream_id": stream_id, **place}
                continue
            ended_at_ms, reason = self.moment_ms(), self.chosen(REASONS)
            started_at_ms = ended_at_ms - self.chance.randrange(HOUR_MS)
            record = session_record(started_at_ms, session_id=session_id, user_id=user_id, stream_id=stream_id)
            ended = {"ended_at_ms": ended_at_ms, "end_reason": reason, "charged_millipoints": 1_000}
            row = {**vars(record), **ended, **ended_keys(session_id, reason, ended_at_ms)}
            yield {name: value for name, value in row.items() if name not in ("due_shard", "due_ms")}

    def payments(self, count: int) -> Iterator[Row]:
        """Yield top-ups."""
        for _ in range(count):
            payment_id, at_ms = new_session_id(), self.moment_ms()
            paid = {"payment_id": payment_id, "user_id": self.chance.choice(self.user_ids), "millipoints": 10_000}
            paid |= {"note": "", "by_user_id": self.user_ids[0], "at_ms": at_ms, "source": self.chosen(SOURCES)}
            yield {**paid, **payment_keys(payment_id, at_ms)}


def fill(table: str, rows: Iterable[Row]) -> int:
    """Write rows, and return how many."""
    remaining = iter(rows)
    batches = iter(lambda: list(islice(remaining, BATCH)), [])
    written = 0
    with ThreadPoolExecutor(WRITERS) as threads:
        # A few batches at once, so that not all rows are in memory.
        while some := list(islice(batches, WRITERS * 8)):
            written += sum(threads.map(lambda batch: _write(table, batch), some))
    return written


def _write(table: str, batch: list[Row]) -> int:
    request = {table: [{"PutRequest": {"Item": to_row(row)}} for row in batch]}
    for _ in range(BATCH_TRIES):
        request = client("dynamodb").batch_write_item(RequestItems=request)["UnprocessedItems"]
        if not request:
            return len(batch)
    raise RuntimeError(f"{table}: the store did not take all rows of a batch")


def lists_of(services: Container, stage: Stage) -> dict[str, Callable[[], Callable[[str | None], ListPage[Any]]]]:
    """Return for each list a function that chooses filters and returns what reads a page at a cursor."""
    chance, accounts, payments = stage.chance, services.accounts, services.payments

    def users(**wanted: Any) -> Callable[[str | None], ListPage[Any]]:
        return lambda cursor: accounts.listing(**wanted, limit=LIMIT, cursor=cursor)

    def sessions(**wanted: Any) -> Callable[[str | None], ListPage[Any]]:
        return lambda cursor: services.playback.listing(SessionFilter(**wanted), limit=LIMIT, cursor=cursor)

    def paid(**wanted: Any) -> Callable[[str | None], ListPage[Any]]:
        return lambda cursor: payments.listing(PaymentFilter(**wanted), limit=LIMIT, cursor=cursor)

    def user_id() -> str:
        return chance.choice(stage.user_ids)

    def stream_id() -> str:
        return f"stream-{chance.randrange(STREAMS)}"

    return {
        "users": users,
        "users, q = 3 characters": lambda: users(q=chance.choice(stage.emails)[:3]),
        "users, q = an id": lambda: users(q=user_id()),
        "users, role=operator": lambda: users(role=Role.OPERATOR),
        "users, disabled": lambda: users(disabled=True),
        "sessions, active": lambda: sessions(active=True),
        "sessions, active, of a stream": lambda: sessions(active=True, stream_id=stream_id()),
        "sessions, ended": lambda: sessions(active=False),
        "sessions, ended, before a time": lambda: sessions(active=False, to_ms=stage.moment_ms()),
        "sessions, ended, kicked": lambda: sessions(active=False, end_reason=EndReason.KICKED),
        "sessions, ended, of a stream": lambda: sessions(active=False, stream_id=stream_id()),
        "sessions, ended, of a user": lambda: sessions(active=False, user_id=user_id()),
        "payments": paid,
        "payments, before a time": lambda: paid(to_ms=stage.moment_ms()),
        "payments, of a user": lambda: paid(user_id=user_id()),
        "payments, source=bank": lambda: paid(source="bank"),
        "payments, q = 4 characters": lambda: paid(begins=new_session_id()[:4]),
    }


def times_ms(choose: Callable[[], Callable[[str | None], ListPage[Any]]]) -> list[float]:
    """Return the times of pages."""
    found: list[float] = []
    for _ in range(SAMPLES):
        read, cursor = choose(), None
        for _ in range(PAGES):
            begin = time.perf_counter()
            cursor = read(cursor).next_cursor
            found.append((time.perf_counter() - begin) * 1_000)
            if cursor is None:
                break
    return sorted(found)


def run(settings: Settings, users: int, sessions: int, payments: int, seed: int) -> None:
    """Fill a stage, and print the table."""
    services = Container(settings)
    stage, began = Stage(users, services.stores.clock.now_ms(), seed), time.monotonic()
    written = fill(settings.table_prefix + "users", stage.accounts())
    written += fill(settings.table_prefix + "playback_sessions", stage.sessions(sessions))
    written += fill(settings.table_prefix + "payments", stage.payments(payments))
    print(f"seed {seed}: {users} accounts, {sessions} sessions and {payments} payments:", end=" ")
    print(f"{written} rows in {time.monotonic() - began:.0f} s", flush=True)
    print(f"\n| list, {LIMIT} a page | pages | p50 ms | p95 ms |\n| --- | --- | --- | --- |")
    for name, choose in lists_of(services, stage).items():
        found = times_ms(choose)
        p50, p95 = (found[min(len(found) - 1, int(len(found) * share))] for share in (0.5, 0.95))
        print(f"| {name} | {len(found)} | {p50:.0f} | {p95:.0f} |", flush=True)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description="Measure lists of a large stage.")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--payments", type=int, default=PAYMENTS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with private_stage() as settings:
        run(settings, options.users, options.sessions, options.payments, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
