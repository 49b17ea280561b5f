"""The real cause of each alarm. A cause is a context: it lasts as long as its block."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event, Thread

import httpx

from canary.__main__ import run_once
from canary.credentials import read_credentials
from chalicelib.adapters.aws import client
from chalicelib.adapters.dynamodb import to_row
from chalicelib.domain.money.errors import LedgerDamaged
from chalicelib.domain.money.usage import Served
from chalicelib.domain.operations.canary import STEPS, new_run
from infra.commands.add_canary import add_canary
from infra.local.processes.supervision import Supervisor
from infra.local.setup.seed import STREAM_ID
from infra.migrations.m0001_initial import ensure_queues
from infra.migrations.tables import ensure_expiry, ensure_table
from infra.schema import DEAD_QUEUE_SUFFIX
from tests.alarms.lab import Lab
from tests.fixtures.waiting import wait_for

SECONDS_A_REQUEST = 0.2
HINTS, CREDITS = 150, 14
# The local worker runs four.
STREAMS_TOO_MANY = 5
LISTENING = {"ingest": {"mode": "listen", "protocol": "rtmp"}}


@contextmanager
def repeated(act: Callable[[], object]) -> Iterator[None]:
    """Repeat something in the background, five times a second at most."""
    stop = Event()

    def run() -> None:
        while not stop.wait(SECONDS_A_REQUEST):
            with suppress(httpx.HTTPError):
                act()

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def stopped(lab: Lab, part: str) -> Iterator[None]:
    """Stop a part, and start it again."""
    supervisor = Supervisor(lab.stack.layout)
    supervisor.stop_parts([part])
    try:
        yield
    finally:
        supervisor.start_part(part)


def api_down(lab: Lab) -> AbstractContextManager[None]:
    return stopped(lab, "api")


@contextmanager
def endpoints_down(lab: Lab) -> Iterator[None]:
    """Stop the endpoints while clients ask for media: nginx cannot authorize them."""
    url, headers = f"{lab.stack.url}/play/{'a' * 26}/index.m3u8", {"Authorization": "Bearer x"}
    with stopped(lab, "endpoints"), repeated(lambda: httpx.get(url, headers=headers, timeout=10)):
        yield


@contextmanager
def queue_lost(lab: Lab) -> Iterator[None]:
    """Delete the queue of dead letters."""
    name = lab.services.settings.work_queue
    client("sqs").delete_queue(QueueUrl=client("sqs").get_queue_url(QueueName=name + DEAD_QUEUE_SUFFIX)["QueueUrl"])
    try:
        yield
    finally:
        ensure_queues(name)


@contextmanager
def worker_hangs(lab: Lab) -> Iterator[None]:
    """Suspend the worker of a live stream while hints arrive."""
    lab.operator.go_live()
    with lab.frozen("worker"):
        for _ in range(HINTS):
            lab.services.stores.queue.send(STREAM_ID)
        yield


@contextmanager
def too_many_streams(lab: Lab) -> Iterator[None]:
    """Set more streams live than the worker may run. They wait for senders, which needs no encoder."""
    stream_ids = [lab.set_live(LISTENING) for _ in range(STREAMS_TOO_MANY)]
    # The last one was looked at before the worker had claimed the others.
    with repeated(lambda: (time.sleep(1), lab.services.controller.tick())):
        yield
        for stream_id in stream_ids:
            lab.set_off(stream_id)


@contextmanager
def dead_letter(lab: Lab) -> Iterator[None]:
    """Put a message where SQS puts one that was received too often."""
    url = client("sqs").get_queue_url(QueueName=lab.services.settings.work_queue + DEAD_QUEUE_SUFFIX)["QueueUrl"]
    client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"stream_id": "lost"}))
    yield
    client("sqs").purge_queue(QueueUrl=url)


def wrong_passwords(lab: Lab) -> AbstractContextManager[None]:
    def log_in() -> None:
        body = {"email": f"{uuid.uuid4()}@local", "password": "wrong"}
        httpx.post(f"{lab.stack.url}/auth/login", json=body, timeout=20)

    return repeated(log_in)


def refused_starts(lab: Lab) -> AbstractContextManager[None]:
    viewer, _ = lab.viewer()
    return repeated(lambda: viewer.send("POST", "/playback/start", {"stream_id": "no-such-stream"}))


@contextmanager
def audit_lost(lab: Lab) -> Iterator[None]:
    """Delete the table of the audit log, and change an account."""
    prefix, (_, user_id) = lab.services.settings.table_prefix, lab.viewer()
    client("dynamodb").delete_table(TableName=f"{prefix}audit")
    try:
        lab.operator.send("PATCH", f"/users/{user_id}", {"disabled": True})
        yield
    finally:
        ensure_table(prefix, "audit")
        ensure_expiry(prefix, "audit")


@contextmanager
def page_lost(lab: Lab) -> Iterator[None]:
    """Delete a page of a ledger, and add entries behind it."""
    table, (_, user_id) = f"{lab.services.settings.table_prefix}ledger", lab.viewer()

    def credit(number: int) -> None:
        with suppress(LedgerDamaged):
            lab.services.ledger.credit(
                user_id=user_id, millipoints=1, payment_id=f"{user_id}-{number}", note="", by_user_id="u_x"
            )

    def catch_up() -> None:
        with suppress(LedgerDamaged):
            lab.services.ledger.catch_up(lab.services.monitoring.set_pages_behind)

    for number in range(CREDITS):
        credit(number)
    newest = lab.services.stores.ledger.pages(user_id, up_to_version=CREDITS, limit=1)[0].first_version
    key = to_row({"user_id": user_id, "first_version": newest})
    row = client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    client("dynamodb").delete_item(TableName=table, Key=key)
    for number in range(CREDITS, CREDITS + 6):
        credit(number)
    catch_up()
    yield
    client("dynamodb").put_item(TableName=table, Item=row)
    catch_up()


def follower_hangs(lab: Lab) -> AbstractContextManager[None]:
    return lab.frozen("usage")


@contextmanager
def bad_sessions(lab: Lab) -> Iterator[None]:
    """End three sessions: one is served long after its kick, one far more than it paid, one is changed in its record.

    A gateway without the denylist would serve them. Its follower reports here what it served.
    """
    lab.operator.go_live()
    services, sessions = lab.services, []
    for _ in range(3):
        viewer, _ = lab.viewer(200_000)
        sessions.append(viewer.send("POST", "/playback/start", {"stream_id": STREAM_ID}).document["session_id"])
    late, unpaid, changed = sessions
    for session_id in sessions:
        lab.operator.do("POST", "/playback/kick", {"session_id": session_id})
    now_ms = services.stores.clock.now_ms()
    served = {late: Served(requests=1, first_at_ms=now_ms, last_at_ms=now_ms + 30_000)}
    served[unpaid] = Served(media_ms=3_600_000, segments=600, requests=600, first_at_ms=now_ms, last_at_ms=now_ms)
    for session_id, each in served.items():
        services.stores.usage.add(session_id, each, follower="open-gateway", batch=1, now_ms=now_ms)
    _change(lab, changed, +1_000)
    yield
    _change(lab, changed, -1_000)
    usage = f"{services.settings.table_prefix}usage"
    client("dynamodb").delete_item(TableName=usage, Key=to_row({"session_id": unpaid}))
    for session_id in (unpaid, changed):
        services.stores.reconciliations.make_due(session_id, services.stores.clock.now_ms())
    wait_for("another reconciliation", lambda: services.reconciliation.run().settled >= 2 or _agree(lab), 120)


def _change(lab: Lab, session_id: str, millipoints: int) -> None:
    client("dynamodb").update_item(
        TableName=f"{lab.services.settings.table_prefix}playback_sessions",
        Key=to_row({"session_id": session_id}),
        UpdateExpression="ADD charged_millipoints :more",
        ExpressionAttributeValues=to_row({":more": millipoints}),
    )


def _agree(lab: Lab) -> bool:
    return lab.services.reconciliation.figures().ledger_mismatches == 0


@contextmanager
def canary_silent(lab: Lab) -> Iterator[None]:
    """Store a run that ended 20 minutes ago, as if none had followed, and do the next one afterwards."""
    lab.operator.go_live()
    steps_ms, ago_ms = (1,) * len(STEPS), 20 * 60_000
    lab.services.stores.canary_runs.add(new_run(lab.services.stores.clock.now_ms() - ago_ms, steps_ms, None))
    yield
    run_canary(lab)


@contextmanager
def canary_fails(lab: Lab) -> Iterator[None]:
    """Run the canary while the gateway cannot authorize it."""
    lab.operator.go_live()
    with stopped(lab, "endpoints"):
        run_canary(lab)
        yield
    wait_for("endpoints", lambda: run_canary(lab), 60)


def run_canary(lab: Lab) -> bool:
    file = lab.stack.layout.canary_file
    if not file.exists():
        add_canary(lab.services, "canary@local", file)
    return run_once(lab.stack.url, read_credentials(file), STREAM_ID)


# Each cause, and the alarms that it has to raise.
Cause = Callable[[Lab], AbstractContextManager[None]]
CAUSES: dict[Cause, tuple[str, ...]] = {
    dead_letter: ("DeadLetters",),
    page_lost: ("LedgerPagesBehind",),
    audit_lost: ("AuditFailures",),
    wrong_passwords: ("LoginFailures",),
    refused_starts: ("PlaybackErrors",),
    queue_lost: ("StoreErrors",),
    endpoints_down: ("ServerErrors",),
    api_down: ("TollcastDown",),
    too_many_streams: ("NoCapacity",),
    worker_hangs: ("NoWorker", "WorkerSilent", "ManifestOld", "StreamNotDelivered", "QueueBehind"),
    follower_hangs: ("GatewayLogBehind",),
    canary_silent: ("CanarySilent",),
    canary_fails: ("CanaryFailed",),
    bad_sessions: ("KickSlow", "DriftHigh", "LedgerMismatch"),
}
