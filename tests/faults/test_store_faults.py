"""Each fault: what the store sees, and what the SDK returns to its caller."""

import secrets

import pytest

from chalicelib.domain.money.wallets import Payment
from chalicelib.ports.common import StoreUnavailable
from chalicelib.ports.money.money import WalletRefused
from tests.faults.harness.store_faults import Fault, FaultPlan, Killed
from tests.faults.scenarios.recorder import Recorder

DONE, REPEATED = "done", "done before"


# For one fault: the requests, the result of the call, and the payments in the ledger.
@pytest.mark.parametrize(
    ("fault", "requests", "answered", "applied"),
    [
        (Fault.TIMEOUT_BEFORE, 2, DONE, 1),
        # The retry has the same token, so the store recognizes it.
        (Fault.TIMEOUT_AFTER, 2, DONE, 1),
        (Fault.RESET_BEFORE, 2, DONE, 1),
        (Fault.RESET_AFTER, 2, DONE, 1),
        (Fault.ERROR_BEFORE, 2, DONE, 1),
        (Fault.ERROR_AFTER, 2, DONE, 1),
        (Fault.THROTTLED, 2, DONE, 1),
        # The SDK does not retry a conflict.
        (Fault.CONFLICT, 1, WalletRefused, 0),
        (Fault.DUPLICATE_FIRST, 1, DONE, 1),
        (Fault.DUPLICATE_SECOND, 1, DONE, 1),
        (Fault.LATE, 2, DONE, 1),
        (Fault.KILLED_BEFORE, 1, Killed, 0),
        (Fault.KILLED_AFTER, 1, Killed, 1),
    ],
)
def test_one_fault(recorder: Recorder, fault: Fault, requests: int, answered: object, applied: int) -> None:
    faults = FaultPlan(on_request={0: fault})
    seen = paid(recorder, faults)
    assert (faults.requests, seen, changes(recorder)) == (requests, answered, applied)
    assert recorder.environment.network.deliver_late() == (fault is Fault.LATE)
    assert changes(recorder) == applied


@pytest.mark.parametrize(
    ("fault", "applied", "later"),
    [
        (Fault.TIMEOUT_BEFORE, 0, 0),
        (Fault.TIMEOUT_AFTER, 1, 1),
        (Fault.RESET_AFTER, 1, 1),
        (Fault.ERROR_BEFORE, 0, 0),
        (Fault.THROTTLED, 0, 0),
        (Fault.LATE, 0, 1),
    ],
)
def test_faults_that_outlast_the_retries(recorder: Recorder, fault: Fault, applied: int, later: int) -> None:
    faults = FaultPlan(on_request=dict.fromkeys(range(3), fault))
    assert (paid(recorder, faults), faults.requests, changes(recorder)) == (StoreUnavailable, 3, applied)
    recorder.environment.network.deliver_late()
    assert changes(recorder) == later


def test_a_table_that_refuses_writes_still_answers_reads(recorder: Recorder) -> None:
    network = recorder.environment.network
    network.throttled_tables.add("payments")
    assert paid(recorder, FaultPlan()) is StoreUnavailable
    assert changes(recorder) == 0
    network.throttled_tables.clear()


def paid(recorder: Recorder, faults: FaultPlan) -> object:
    """Pay once under these faults. Returns the result or the type of the error."""
    viewer = recorder.viewer(0)
    payment = Payment(
        payment_id=secrets.token_hex(8), user_id=viewer.user_id, millipoints=5, note="", by_user_id="u_x", at_ms=0
    )
    with recorder.environment.network.injecting(faults):
        try:
            return DONE if recorder.environment.observer.services.stores.wallets.pay(payment) else REPEATED
        except (WalletRefused, StoreUnavailable, Killed) as error:
            return type(error)


def changes(recorder: Recorder) -> int:
    return recorder.view(recorder.viewers[-1]).wallet.version
