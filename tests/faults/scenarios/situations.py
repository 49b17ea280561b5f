"""Situations: one request is about to change a wallet, and this change completes a page.

So a single request touches all that a change can: wallet, page, trim, record and denylist. A new operation needs a
situation: a function that sets it up, and the request.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib.domain.money.wallets import PAGE_ENTRIES, Payment
from tests.faults.harness.drivers import ServicesDriver
from tests.faults.harness.environment import FunctionInstance, StreamTerms
from tests.faults.harness.operations import Operation, Viewer
from tests.faults.harness.store_faults import FaultPlan
from tests.faults.scenarios.recorder import Recorder

POINTS = 60_000


@dataclass
class Situation:
    """A viewer about to send a request with `driver`. Requests in between use `other_driver`."""

    recorder: Recorder
    viewer: Viewer
    driver: ServicesDriver
    other_driver: ServicesDriver
    # The stream: `plain` has 10 s leases that cost 10 points, `long` 60 s, `few` three places.
    kind: str = "plain"
    session_id: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(12))

    @property
    def terms(self) -> StreamTerms:
        return next(each for name, each in self.recorder.environment.terms.items() if name.startswith(self.kind))

    def set_stream(self, *, down: bool) -> None:
        self.recorder.environment.report_stream(self.terms.stream_id, not down)


Act = Callable[[Situation, FaultPlan], Operation]


def funded(recorder: Recorder, millipoints: int, changes: int, cap: int | None = None) -> Viewer:
    """Add a viewer whose wallet has this balance after this number of changes."""
    viewer = recorder.viewer(0, cap)
    wallets, now_ms = recorder.environment.observer.services.stores.wallets, recorder.environment.time.now_ms
    for n in range(changes):
        amount = millipoints - changes + 1 if n == 0 else 1
        payment_id = f"s-{secrets.token_hex(8)}"
        viewer.payments[payment_id] = {amount}
        payment = Payment(
            payment_id=payment_id, user_id=viewer.user_id, millipoints=amount, note="", by_user_id="u_x", at_ms=now_ms
        )
        assert wallets.pay(payment)
    return viewer


def idle(recorder: Recorder, millipoints: int = POINTS, kind: str = "plain") -> Situation:
    return _situation(recorder, millipoints, PAGE_ENTRIES - 1, kind)


def watching(
    recorder: Recorder, millipoints: int = POINTS, after_ms: int = 0, kind: str = "plain", cap: int | None = None
) -> Situation:
    """A session was started `after_ms` ago."""
    situation = _situation(recorder, millipoints, PAGE_ENTRIES - 2, kind, cap)
    operation = start(situation, FaultPlan())
    assert operation.lease, operation
    situation.session_id = operation.lease.session_id
    recorder.environment.time.advance(after_ms)
    return situation


def _situation(
    recorder: Recorder, millipoints: int, changes: int, kind: str = "plain", cap: int | None = None
) -> Situation:
    recorder.environment.time.advance(1)
    for stream_id in recorder.environment.terms:
        recorder.environment.report_stream(stream_id, True)
    # Without a follower that reported within the hour, no end has a reserve.
    recorder.environment.gateway.report((), recorder.environment.time.now_ms, 0)
    viewer = funded(recorder, millipoints, changes, cap)
    driver = ServicesDriver(FunctionInstance(recorder.environment))
    other_driver = ServicesDriver(FunctionInstance(recorder.environment, -900))
    return Situation(recorder, viewer, driver, other_driver, kind)


def one_place_of_the_stream_left(recorder: Recorder) -> Situation:
    """Another viewer has taken two of the three places of a stream."""
    situation = idle(recorder, kind="few")
    other = funded(recorder, POINTS, 1)
    for _ in range(2):
        assert recorder.start(situation.other_driver, other, situation.terms).lease
    return situation


def in_an_outage(recorder: Recorder, after_ms: int = 6_000) -> Situation:
    situation = watching(recorder, after_ms=after_ms)
    situation.set_stream(down=True)
    return situation


def after_an_outage(recorder: Recorder) -> Situation:
    """The stream was down for 20 of 60 seconds, and the second lease is due."""
    situation = watching(recorder, 200_000, 10_000, "long")
    situation.set_stream(down=True)
    recorder.environment.time.advance(20_000)
    situation.set_stream(down=False)
    recorder.environment.time.advance(26_000)
    return situation


def after_midnight(recorder: Recorder) -> Situation:
    """The cap of yesterday is spent, and the first beat of today is due."""
    recorder.environment.time.to_midnight(1_000)
    return watching(recorder, after_ms=8_500, cap=10_000)


def watching_on(recorder: Recorder) -> Situation:
    """A session has two leases, and the third one is due."""
    situation = _situation(recorder, POINTS, PAGE_ENTRIES - 3)
    situation.session_id = start(situation, FaultPlan()).answer.session_id
    recorder.environment.time.advance(6_000)
    assert beat(situation, FaultPlan()).lease
    recorder.environment.time.advance(10_000)
    return situation


def watched(recorder: Recorder) -> Situation:
    """A session was ended by an operator after six seconds and cost six points, without a reserve."""
    situation = _situation(recorder, POINTS, PAGE_ENTRIES - 3)
    situation.session_id = start(situation, FaultPlan()).answer.session_id
    recorder.environment.time.advance(6_000)
    assert kick(situation, FaultPlan()).answer.charged == 6_000
    return situation


def measured(
    recorder: Recorder, ahead_ms: int, changes: int = PAGE_ENTRIES - 3, balance: int | None = None
) -> Situation:
    """A session of six seconds paid for ten, was served so much more than that, and its log is complete."""
    situation = _situation(recorder, POINTS, changes)
    situation.session_id = start(situation, FaultPlan()).answer.session_id
    recorder.environment.time.advance(6_000)
    assert stop(situation, FaultPlan()).answer.reserved == 4_000
    if balance is not None:
        take_all_but(situation, balance)
    recorder.environment.time.advance(100_000)
    [record] = recorder.records(situation.viewer)
    recorder.environment.gateway.serve(record, ahead_ms, recorder.environment.time.now_ms)
    recorder.report_log(0)
    return situation


def take_all_but(s: Situation, balance: int) -> None:
    has = s.recorder.view(s.viewer).wallet.balance_millipoints
    s.recorder.pay(s.driver, s.viewer, f"s-{secrets.token_hex(8)}", balance - has)


def in_debt(recorder: Recorder, points: int) -> Situation:
    """A viewer has a debt of three points, and these points."""
    situation = measured(recorder, 3_000, changes=1, balance=0)
    settle(situation, FaultPlan())
    assert recorder.view(situation.viewer).wallet.debt_millipoints == 3_000
    if points:
        recorder.pay(situation.driver, situation.viewer, f"s-{secrets.token_hex(8)}", points)
    # The key of the first session would find its end.
    situation.key = secrets.token_hex(12)
    return situation


def one_place_left(recorder: Recorder) -> Situation:
    """The viewer has two of three possible sessions."""
    situation = _situation(recorder, POINTS, PAGE_ENTRIES - 3)
    for _ in range(2):
        operation = recorder.start(situation.driver, situation.viewer, situation.terms)
        situation.session_id = operation.answer.session_id
    return situation


def start(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.start(s.driver, s.viewer, s.terms, key=s.key, faults=faults)


def beat(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.beat(s.driver, s.viewer, s.session_id, 2, faults=faults)


def stop(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.send("stop", s.driver, s.viewer, s.session_id, faults=faults)


def kick(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.send("kick", s.driver, s.viewer, s.session_id, faults=faults)


def pay(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.pay(s.driver, s.viewer, f"s-{secrets.token_hex(8)}", 5_000, faults=faults)


def take(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.pay(s.driver, s.viewer, f"s-{secrets.token_hex(8)}", -45_000, faults=faults)


def reverse(s: Situation, faults: FaultPlan) -> Operation:
    """Reverse the first payment, nearly all of the balance."""
    return s.recorder.reverse(s.driver, s.viewer, next(iter(s.viewer.payments)), faults=faults)


def adjust(s: Situation, faults: FaultPlan, millipoints: int = 3_000) -> Operation:
    return s.recorder.adjust(s.driver, s.viewer, s.session_id, f"s-{secrets.token_hex(8)}", millipoints, faults=faults)


def settle(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.settle(s.driver, s.viewer, s.session_id, faults=faults)


def erase(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.erase(s.driver, s.viewer, faults=faults)


def settle_between(s: Situation) -> None:
    """Settle the session on another function instance, if its log is complete."""
    if s.session_id in s.recorder.environment.gateway.served:
        s.recorder.settle(s.other_driver, s.viewer, s.session_id)


def read(s: Situation, faults: FaultPlan) -> Operation:
    return s.recorder.read(s.driver.instance, s.viewer, faults=faults)


# name -> (set-up, request)
SITUATIONS: dict[str, tuple[Callable[[Recorder], Situation], Act]] = {
    "start": (idle, start),
    "start of a poor viewer": (lambda recorder: idle(recorder, 3_000), start),
    "start at the last place": (one_place_left, start),
    "start with a used key": (watching, start),
    "start on a stream with places": (one_place_of_the_stream_left, start),
    "early beat": (lambda recorder: watching(recorder, after_ms=1_000), beat),
    "beat on time": (lambda recorder: watching(recorder, after_ms=6_000), beat),
    "repeated beat": (watching_on, beat),
    "beat in the grace": (lambda recorder: watching(recorder, after_ms=13_000), beat),
    "beat after a gap": (lambda recorder: watching(recorder, after_ms=40_000), beat),
    "beat of a poor viewer": (lambda recorder: watching(recorder, 13_000, 6_000), beat),
    "beat without money": (lambda recorder: watching(recorder, 10_000, 10_000), beat),
    "beat of a lapsed session": (lambda recorder: watching(recorder, after_ms=700_000), beat),
    "beat under a cap": (lambda recorder: watching(recorder, after_ms=6_000, cap=13_000), beat),
    "beat on a new day": (after_midnight, beat),
    "early beat in an outage": (lambda recorder: in_an_outage(recorder, 2_000), beat),
    "beat in an outage": (in_an_outage, beat),
    "beat after an outage": (after_an_outage, beat),
    "stop after an outage": (after_an_outage, stop),
    "stop in an outage": (in_an_outage, stop),
    "stop on a stream with places": (lambda recorder: watching(recorder, kind="few"), stop),
    "stop": (lambda recorder: watching(recorder, after_ms=6_000), stop),
    "kick": (lambda recorder: watching(recorder, after_ms=2_500), kick),
    "payment": (watching, pay),
    "adjustment": (watching, take),
    "adjustment of a session": (watched, adjust),
    "settlement of served time": (lambda recorder: measured(recorder, 3_000), settle),
    "settlement of unserved time": (lambda recorder: measured(recorder, -9_000), settle),
    "settlement into debt": (lambda recorder: measured(recorder, 3_000, PAGE_ENTRIES - 4, balance=1_000), settle),
    "adjustment beside a settlement": (lambda recorder: measured(recorder, -4_000), adjust),
    "start with a debt": (lambda recorder: in_debt(recorder, 30_000), start),
    "start of a poor viewer with a debt": (lambda recorder: in_debt(recorder, 5_000), start),
    "start with too large a debt": (lambda recorder: in_debt(recorder, 2_999), start),
    "erasure beside a settlement": (lambda recorder: measured(recorder, 3_000, balance=0), erase),
    "reversal": (idle, reverse),
    "reversal of a payment that is spent": (watching, reverse),
}
# Requests of another function instance between two steps.
BETWEEN: dict[str, Callable[[Situation], object]] = {
    "the same beat": lambda s: s.recorder.beat(s.other_driver, s.viewer, s.session_id, 2),
    "a later beat": lambda s: s.recorder.beat(s.other_driver, s.viewer, s.session_id, 3),
    "a top-up": lambda s: s.recorder.pay(s.other_driver, s.viewer, f"s-{secrets.token_hex(8)}", 50_000),
    "a large adjustment": lambda s: s.recorder.pay(s.other_driver, s.viewer, f"s-{secrets.token_hex(8)}", -45_000),
    "an adjustment": lambda s: s.recorder.pay(s.other_driver, s.viewer, f"s-{secrets.token_hex(8)}", -2_500),
    "the same reversal": lambda s: s.recorder.reverse(s.other_driver, s.viewer, next(iter(s.viewer.payments))),
    "a stop": lambda s: s.recorder.send("stop", s.other_driver, s.viewer, s.session_id),
    "the same start": lambda s: s.recorder.start(s.other_driver, s.viewer, s.terms, key=s.key),
    "an outage": lambda s: s.set_stream(down=True),
    "an outage's end": lambda s: s.set_stream(down=False),
    "a start": lambda s: s.recorder.start(s.other_driver, s.viewer, s.terms),
    "a settlement": settle_between,
    "a refund of the session": lambda s: s.recorder.adjust(
        s.other_driver, s.viewer, s.session_id, f"s-{secrets.token_hex(8)}", 3_000
    ),
}
