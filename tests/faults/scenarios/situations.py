"""Situations in which one request is about to change a wallet, each made so that this change completes a page.

So a single request goes through all that a change can touch: the wallet, the page, the trim, the record, the denylist.
To add an operation, add a situation: what stands before it, and the request itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib.domain.wallets import PAGE_ENTRIES, Payment
from tests.faults.harness.drivers import ServicesDoor
from tests.faults.harness.environment import Instance, Terms
from tests.faults.harness.operations import Deed, Viewer
from tests.faults.harness.store_faults import Faults
from tests.faults.scenarios.recorder import Scene

POINTS = 60_000


@dataclass
class Situation:
    """A viewer about to act at `here`; what comes between is done by `there`."""

    scene: Scene
    viewer: Viewer
    here: ServicesDoor
    there: ServicesDoor
    # The stream: `plain` has 10 s leases that cost 10 points, `long` 60 s, `few` three places.
    kind: str = "plain"
    session_id: str = ""
    key: str = field(default_factory=lambda: secrets.token_hex(12))

    @property
    def terms(self) -> Terms:
        return next(each for name, each in self.scene.world.terms.items() if name.startswith(self.kind))

    def goes(self, *, down: bool) -> None:
        """The stream stalls, or is live again."""
        self.scene.world.deliver(self.terms.stream_id, not down)


Act = Callable[[Situation, Faults], Deed]


def funded(scene: Scene, millipoints: int, changes: int, cap: int | None = None) -> Viewer:
    """A viewer whose wallet has been changed so often, and holds so much."""
    viewer = scene.viewer(0, cap)
    wallets, now_ms = scene.world.observer.services.wallets, scene.world.time.now_ms
    for n in range(changes):
        amount = millipoints - changes + 1 if n == 0 else 1
        payment_id = f"s-{secrets.token_hex(8)}"
        viewer.payments[payment_id] = {amount}
        payment = Payment(
            payment_id=payment_id, user_id=viewer.user_id, millipoints=amount, note="", by_user_id="u_x", at_ms=now_ms
        )
        assert wallets.pay(payment)
    return viewer


def idle(scene: Scene, millipoints: int = POINTS, kind: str = "plain") -> Situation:
    """Nothing watched yet."""
    return _situation(scene, millipoints, PAGE_ENTRIES - 1, kind)


def watching(
    scene: Scene, millipoints: int = POINTS, after_ms: int = 0, kind: str = "plain", cap: int | None = None
) -> Situation:
    """A session was started so long ago."""
    situation = _situation(scene, millipoints, PAGE_ENTRIES - 2, kind, cap)
    deed = start(situation, Faults())
    assert deed.sold, deed
    situation.session_id = deed.sold.session_id
    scene.world.time.advance(after_ms)
    return situation


def _situation(scene: Scene, millipoints: int, changes: int, kind: str = "plain", cap: int | None = None) -> Situation:
    scene.world.time.advance(1)
    for stream_id in scene.world.terms:
        scene.world.deliver(stream_id, True)
    viewer = funded(scene, millipoints, changes, cap)
    here, there = ServicesDoor(Instance(scene.world)), ServicesDoor(Instance(scene.world, -900))
    return Situation(scene, viewer, here, there, kind)


def one_place_of_the_stream_left(scene: Scene) -> Situation:
    """Two of the three places of a stream are taken by another viewer."""
    situation = idle(scene, kind="few")
    other = funded(scene, POINTS, 1)
    for _ in range(2):
        assert scene.start(situation.there, other, situation.terms).sold
    return situation


def in_an_outage(scene: Scene, after_ms: int = 6_000) -> Situation:
    """The stream went down in the middle of a lease."""
    situation = watching(scene, after_ms=after_ms)
    situation.goes(down=True)
    return situation


def after_an_outage(scene: Scene) -> Situation:
    """The stream was down for twenty of sixty seconds, and the time for the second lease has come."""
    situation = watching(scene, 200_000, 10_000, "long")
    situation.goes(down=True)
    scene.world.time.advance(20_000)
    situation.goes(down=False)
    scene.world.time.advance(26_000)
    return situation


def after_midnight(scene: Scene) -> Situation:
    """Yesterday has cost as much as was possible, and the first beat of today comes."""
    scene.world.time.to_midnight(1_000)
    return watching(scene, after_ms=8_500, cap=10_000)


def watching_on(scene: Scene) -> Situation:
    """A session has just bought its second lease, and the time for the third has come."""
    situation = _situation(scene, POINTS, PAGE_ENTRIES - 3)
    situation.session_id = start(situation, Faults()).answer.session_id  # type: ignore[union-attr]
    scene.world.time.advance(6_000)
    assert beat(situation, Faults()).sold
    scene.world.time.advance(10_000)
    return situation


def watched(scene: Scene) -> Situation:
    """A session was stopped after six seconds, which cost as many points."""
    situation = _situation(scene, POINTS, PAGE_ENTRIES - 3)
    situation.session_id = start(situation, Faults()).answer.session_id  # type: ignore[union-attr]
    scene.world.time.advance(6_000)
    assert stop(situation, Faults()).answer.charged == 6_000  # type: ignore[union-attr]
    return situation


def one_place_left(scene: Scene) -> Situation:
    """Two of the three sessions that a viewer may have are there."""
    situation = _situation(scene, POINTS, PAGE_ENTRIES - 3)
    for _ in range(2):
        deed = scene.start(situation.here, situation.viewer, situation.terms)
        situation.session_id = deed.answer.session_id  # type: ignore[union-attr]
    return situation


def start(s: Situation, faults: Faults) -> Deed:
    return s.scene.start(s.here, s.viewer, s.terms, key=s.key, faults=faults)


def beat(s: Situation, faults: Faults) -> Deed:
    return s.scene.beat(s.here, s.viewer, s.session_id, 2, faults=faults)


def stop(s: Situation, faults: Faults) -> Deed:
    return s.scene.stop(s.here, s.viewer, s.session_id, faults=faults)


def kick(s: Situation, faults: Faults) -> Deed:
    return s.scene.kick(s.here, s.viewer, s.session_id, faults=faults)


def pay(s: Situation, faults: Faults) -> Deed:
    return s.scene.pay(s.here, s.viewer, f"s-{secrets.token_hex(8)}", 5_000, faults=faults)


def take(s: Situation, faults: Faults) -> Deed:
    return s.scene.pay(s.here, s.viewer, f"s-{secrets.token_hex(8)}", -45_000, faults=faults)


def adjust(s: Situation, faults: Faults, millipoints: int = 3_000) -> Deed:
    return s.scene.adjust(s.here, s.viewer, s.session_id, f"s-{secrets.token_hex(8)}", millipoints, faults=faults)


def read(s: Situation, faults: Faults) -> Deed:
    return s.scene.read(s.here.instance, s.viewer, faults=faults)


# name -> (what stands before, the request)
SITUATIONS: dict[str, tuple[Callable[[Scene], Situation], Act]] = {
    "start": (idle, start),
    "start of a poor viewer": (lambda scene: idle(scene, 3_000), start),
    "start at the last place": (one_place_left, start),
    "start with a used key": (watching, start),
    "start on a stream with places": (one_place_of_the_stream_left, start),
    "early beat": (lambda scene: watching(scene, after_ms=1_000), beat),
    "beat on time": (lambda scene: watching(scene, after_ms=6_000), beat),
    "repeated beat": (watching_on, beat),
    "beat in the grace": (lambda scene: watching(scene, after_ms=13_000), beat),
    "beat after a gap": (lambda scene: watching(scene, after_ms=40_000), beat),
    "beat of a poor viewer": (lambda scene: watching(scene, 13_000, 6_000), beat),
    "beat without money": (lambda scene: watching(scene, 10_000, 10_000), beat),
    "beat of a lapsed session": (lambda scene: watching(scene, after_ms=700_000), beat),
    "beat under a cap": (lambda scene: watching(scene, after_ms=6_000, cap=13_000), beat),
    "beat on a new day": (after_midnight, beat),
    "early beat in an outage": (lambda scene: in_an_outage(scene, 2_000), beat),
    "beat in an outage": (in_an_outage, beat),
    "beat after an outage": (after_an_outage, beat),
    "stop after an outage": (after_an_outage, stop),
    "stop in an outage": (in_an_outage, stop),
    "stop on a stream with places": (lambda scene: watching(scene, kind="few"), stop),
    "stop": (lambda scene: watching(scene, after_ms=6_000), stop),
    "kick": (lambda scene: watching(scene, after_ms=2_500), kick),
    "payment": (watching, pay),
    "adjustment": (watching, take),
    "adjustment of a session": (watched, adjust),
}
# What another function instance may do meanwhile.
BETWEEN: dict[str, Callable[[Situation], object]] = {
    "the same beat": lambda s: s.scene.beat(s.there, s.viewer, s.session_id, 2),
    "a later beat": lambda s: s.scene.beat(s.there, s.viewer, s.session_id, 3),
    "a top-up": lambda s: s.scene.pay(s.there, s.viewer, f"s-{secrets.token_hex(8)}", 50_000),
    "a large adjustment": lambda s: s.scene.pay(s.there, s.viewer, f"s-{secrets.token_hex(8)}", -45_000),
    "an adjustment": lambda s: s.scene.pay(s.there, s.viewer, f"s-{secrets.token_hex(8)}", -2_500),
    "a stop": lambda s: s.scene.stop(s.there, s.viewer, s.session_id),
    "the same start": lambda s: s.scene.start(s.there, s.viewer, s.terms, key=s.key),
    "an outage": lambda s: s.goes(down=True),
    "an outage's end": lambda s: s.goes(down=False),
    "a start": lambda s: s.scene.start(s.there, s.viewer, s.terms),
}
