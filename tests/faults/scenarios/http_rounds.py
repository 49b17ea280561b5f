"""Rounds over HTTP: the same moves and the same judgement, through the running API and a bad way to it.

The plan follows from the seed; when a request passes another on the way, and which worker a killing meets, does not.
"""

from __future__ import annotations

import random
from functools import partial

import httpx

from chalicelib.config import Settings
from tests.faults.harness.api_server import FileTime, Functions
from tests.faults.harness.drivers import HttpDoor
from tests.faults.harness.environment import SKEW_MS, Instance, World
from tests.faults.harness.http_faults import Proxy, WireFault
from tests.faults.harness.store_faults import Faults, Network
from tests.faults.scenarios.moves import WEIGHTS, Move, Player
from tests.faults.scenarios.recorder import Scene
from tests.faults.scenarios.rounds import Round, judge, opened, play_plan, run_threads

# Most moves go over HTTP here, so fewer of them are the schedule's.
HTTP_WEIGHTS = {**WEIGHTS, "kill_function": 1}
FAULTY = 0.4


class HttpPlayer(Player):
    """Sends what viewers and operators do over HTTP; the schedule and the gateway's question stay in this process."""

    def __init__(self, scene: Scene, instances: list[Instance], http: httpx.Client, functions: Functions, seed: str):
        super().__init__(scene, instances)
        self._http = http
        self._functions = functions
        self._rng = random.Random(seed)
        self._wire: WireFault | None = None

    def play(self, move: Move, faults: Faults | None) -> None:
        faulty = self._rng.random() < FAULTY
        fault = self._rng.choice(list(WireFault))
        self._wire = fault if faulty else None
        super().play(move, faults)

    def kill_function(self, move: Move, faults: Faults | None) -> None:
        """A worker of the API dies, whatever it is doing."""
        self._functions.kill_one(move.which)

    def _door(self, move: Move, *, calm: bool = False) -> HttpDoor:
        return HttpDoor(self.scene.world, self._http, None if calm else self._wire)


def play_http(round_: Round, settings: Settings, network: Network, functions: Functions, time: FileTime) -> Scene:
    """Play a round through the API and judge it; raises AssertionError with all that is broken."""
    assert settings.denylist_dir is not None
    with (
        Proxy(functions.port) as proxy,
        httpx.Client(base_url=f"http://127.0.0.1:{proxy.port}", timeout=30, headers={"Connection": "close"}) as http,
    ):
        scene = Scene(World(settings, network, settings.denylist_dir, time))
        rng = opened(scene, round_)
        works = []
        for n in range(round_.threads):
            instances = [Instance(scene.world, rng.randint(-SKEW_MS, SKEW_MS))]
            player = HttpPlayer(scene, instances, http, functions, f"{round_.seed}:{n}:wire")
            works.append(partial(play_plan, player, round_.plan(n, HTTP_WEIGHTS)))
        run_threads(works)
        proxy.land()
        judge(scene)
        return scene
