"""The faults themselves: what the store has seen, and what the SDK makes of each for its caller."""

import secrets

import pytest

from chalicelib.domain.wallets import Payment
from chalicelib.ports import StoreUnavailable, WalletRefused
from tests.faults.harness.store_faults import Fault, Faults, Killed
from tests.faults.scenarios.recorder import Scene

DONE, AGAIN = "answered as done", "answered as done before"


# For one fault: requests that were sent, what the caller is told, payments in the ledger before late ones.
@pytest.mark.parametrize(
    ("fault", "requests", "told", "applied"),
    [
        (Fault.TIMEOUT_BEFORE, 2, DONE, 1),
        # The repetition carries the same token, so the store knows it again.
        (Fault.TIMEOUT_AFTER, 2, DONE, 1),
        (Fault.RESET_BEFORE, 2, DONE, 1),
        (Fault.RESET_AFTER, 2, DONE, 1),
        (Fault.ERROR_BEFORE, 2, DONE, 1),
        (Fault.ERROR_AFTER, 2, DONE, 1),
        (Fault.THROTTLED, 2, DONE, 1),
        # A conflict is not repeated by the SDK.
        (Fault.CONFLICT, 1, WalletRefused, 0),
        (Fault.DUPLICATE_FIRST, 1, DONE, 1),
        (Fault.DUPLICATE_SECOND, 1, DONE, 1),
        (Fault.LATE, 2, DONE, 1),
        (Fault.KILLED_BEFORE, 1, Killed, 0),
        (Fault.KILLED_AFTER, 1, Killed, 1),
    ],
)
def test_one_fault(scene: Scene, fault: Fault, requests: int, told: object, applied: int) -> None:
    faults = Faults(on_request={0: fault})
    seen = paid(scene, faults)
    assert (faults.requests, seen, changes(scene)) == (requests, told, applied)
    assert scene.world.network.land() == (fault is Fault.LATE)
    assert changes(scene) == applied


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
def test_faults_that_repetitions_do_not_get_over(scene: Scene, fault: Fault, applied: int, later: int) -> None:
    faults = Faults(on_request=dict.fromkeys(range(3), fault))
    assert (paid(scene, faults), faults.requests, changes(scene)) == (StoreUnavailable, 3, applied)
    scene.world.network.land()
    assert changes(scene) == later


def test_a_table_that_refuses_writes_still_answers_reads(scene: Scene) -> None:
    network = scene.world.network
    network.refusing.add("payments")
    assert paid(scene, Faults()) is StoreUnavailable
    assert changes(scene) == 0
    network.refusing.clear()


def paid(scene: Scene, faults: Faults) -> object:
    """Pay once under these faults; answers what the caller was told."""
    viewer = scene.viewer(0)
    payment = Payment(
        payment_id=secrets.token_hex(8), user_id=viewer.user_id, millipoints=5, note="", by_user_id="u_x", at_ms=0
    )
    with scene.world.network.under(faults):
        try:
            return DONE if scene.world.observer.services.wallets.pay(payment) else AGAIN
        except (WalletRefused, StoreUnavailable, Killed) as error:
            return type(error)


def changes(scene: Scene) -> int:
    """How often the viewer's wallet was changed."""
    return scene.view(scene.viewers[-1]).wallet.version
