"""The migration of the lists: a stage from before gets its indexes, and every row its place."""

import pytest

from chalicelib.adapters import dynamodb as rows
from chalicelib.adapters.aws import client
from chalicelib.bootstrap import Container
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.end_reasons import EndReason
from infra import migrations
from infra.migrations import list_places
from infra.migrations.m0003_lists import INDEXES
from infra.schema import index_definition
from tests.fakes.money.sessions import session_record
from tests.fakes.simple import Switch

PLACE = ("list_key", "list_order", "email_key", "reference_key")


@pytest.fixture
def services(settings):
    services = Container(settings)
    services.delivery = Switch()
    return services


def rows_of(settings, table):
    return [rows.from_row(row) for row in client("dynamodb").scan(TableName=settings.table_prefix + table)["Items"]]


def watch(services, user_id, session_id):
    now_ms = services.stores.clock.now_ms()
    record = session_record(now_ms, session_id=session_id, user_id=user_id, due_shard=3)
    services.session_opener.open(user_id, record, 10**9)


def filled(services):
    """A stage with a row of each kind."""
    admin = services.accounts.create("Root@local", "a good password", Role.ADMIN)
    viewer = services.accounts.create("Zoe@local", "a good password", Role.VIEWER)
    services.accounts.change(viewer.user_id, disabled=True)
    user_id = viewer.user_id
    services.ledger.credit(user_id=user_id, millipoints=10**6, payment_id="order-1", note="", by_user_id=admin.user_id)
    watch(services, user_id, "a" * 26)
    watch(services, user_id, "b" * 26)
    services.billing.end(user_id, "b" * 26, EndReason.VIEWER_STOPPED)
    gone = services.accounts.create("gone@local", "a good password", Role.VIEWER)
    services.erasure.erase(gone.user_id)


def as_before(settings, *more):
    """Remove what the migration adds."""
    dynamodb = client("dynamodb")
    for table, names in INDEXES.items():
        name = settings.table_prefix + table
        for index in names:
            dynamodb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index}}])
        for row in dynamodb.scan(TableName=name)["Items"]:
            kept = {key: value for key, value in row.items() if key not in (*PLACE, *more)}
            dynamodb.put_item(TableName=name, Item=kept)
    key = {"migration_id": {"S": "m0003_lists"}}
    dynamodb.delete_item(TableName=settings.table_prefix + "migrations", Key=key)


def test_a_stage_from_before_gets_indexes_and_places(settings, services):
    filled(services)
    before = {table: rows_of(settings, table) for table in INDEXES}
    as_before(settings, "source")
    assert all(not row.keys() & set(PLACE) for table in INDEXES for row in rows_of(settings, table))
    assert migrations.apply(settings) == ["m0003_lists"]
    for table, names in INDEXES.items():
        assert sorted(rows_of(settings, table), key=str) == sorted(before[table], key=str)
        found = client("dynamodb").describe_table(TableName=settings.table_prefix + table)["Table"]
        indexes = {each["IndexName"]: each for each in found["GlobalSecondaryIndexes"]}
        for name in names:
            wanted = index_definition(table, name)
            assert {key: indexes[name][key] for key in wanted} == wanted
    assert set(list_places.fill(settings).values()) == {0}


def test_an_interrupted_run_is_continued_and_writes_nothing_twice(settings, services, monkeypatch):
    filled(services)
    as_before(settings)
    monkeypatch.setattr(list_places, "ROWS_PER_PAGE", 1)
    write, written = list_places.write_if, []

    def breaking(*given, **more):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(more["key"])
        return write(*given, **more)

    monkeypatch.setattr(list_places, "write_if", breaking)
    with pytest.raises(KeyboardInterrupt):
        migrations.apply(settings)
    monkeypatch.setattr(list_places, "write_if", write)
    rest = sum(list_places.fill(settings).values())
    # Two accounts, two sessions and a payment.
    assert (len(written), rest) == (2, 3)
    assert migrations.apply(settings) == ["m0003_lists"]


def test_a_session_that_ends_meanwhile_keeps_the_place_of_its_end(settings, services, monkeypatch):
    filled(services)
    as_before(settings)
    place_of = list_places.TABLES["playback_sessions"].place_of

    def and_end(row):
        place = place_of(row)
        if row["session_id"] == "a" * 26 and "end_reason" not in row:
            services.billing.end_all(user_id, EndReason.KICKED)
        return place

    [user_id] = {row["user_id"] for row in rows_of(settings, "playback_sessions")}
    listed = list_places.TABLES["playback_sessions"]._replace(place_of=and_end)
    monkeypatch.setitem(list_places.TABLES, "playback_sessions", listed)
    migrations.apply(settings)
    kept = next(row for row in rows_of(settings, "playback_sessions") if row["session_id"] == "a" * 26)
    assert kept["list_key"].endswith(".kicked") and kept["list_order"] == f"{kept['ended_at_ms']}.{'a' * 26}"


def test_what_earlier_functions_write_after_the_migration_is_filled_by_a_command(settings, services, capsys):
    from infra.commands import fill_lists

    filled(services)
    name = settings.table_prefix + "playback_sessions"
    [row] = [each for each in client("dynamodb").scan(TableName=name)["Items"] if each["session_id"]["S"] == "b" * 26]
    # Ended by code that does not know lists: it is still in the list of active sessions.
    client("dynamodb").put_item(TableName=name, Item={**row, "list_key": {"S": "active.3"}})
    assert fill_lists.main() == 0
    assert capsys.readouterr().out == "users: 0, playback_sessions: 1, payments: 0\n"
    assert {str(each["list_key"]) for each in rows_of(settings, "playback_sessions")} >= {row["list_key"]["S"]}
