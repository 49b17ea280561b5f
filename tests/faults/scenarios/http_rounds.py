"""Rounds over HTTP: the same moves and checks, through a faulty proxy and the running API.

The plan follows from the seed. The order of delayed requests and the workers that are killed do not.
"""

from __future__ import annotations

import random
from functools import partial

import httpx

from chalicelib.config import Settings
from tests.faults.harness.api_server import ApiServer, FileTime
from tests.faults.harness.drivers import HttpDriver
from tests.faults.harness.environment import SKEW_MS, Environment, FunctionInstance
from tests.faults.harness.http_faults import FaultyProxy, HttpFault
from tests.faults.harness.store_faults import FaultPlan, Network
from tests.faults.scenarios.moves import WEIGHTS, Move, MoveRunner
from tests.faults.scenarios.recorder import Recorder
from tests.faults.scenarios.rounds import Round, add_viewers, run_plan, run_tasks, verify

HTTP_WEIGHTS = {**WEIGHTS, "kill_api_worker": 1}
FAULTY = 0.4


class HttpMoveRunner(MoveRunner):
    """A runner of moves. Viewers and operators use HTTP; scheduled tasks and media requests run in this process."""

    def __init__(
        self, recorder: Recorder, instances: list[FunctionInstance], http: httpx.Client, api: ApiServer, seed: str
    ):
        super().__init__(recorder, instances)
        self._http = http
        self._api = api
        self._rng = random.Random(seed)
        self._fault: HttpFault | None = None

    def run(self, move: Move, faults: FaultPlan | None) -> None:
        faulty = self._rng.random() < FAULTY
        fault = self._rng.choice(list(HttpFault))
        self._fault = fault if faulty else None
        super().run(move, faults)

    def kill_api_worker(self, move: Move, faults: FaultPlan | None) -> None:
        self._api.kill_worker(move.which)

    def _driver(self, move: Move, *, fault_free: bool = False) -> HttpDriver:
        return HttpDriver(self.recorder.environment, self._http, None if fault_free else self._fault)


def play_http_round(round_: Round, settings: Settings, network: Network, api: ApiServer, time: FileTime) -> Recorder:
    """Play a round through the API and check it. Raise `AssertionError` with all violations."""
    assert settings.denylist_dir is not None
    with (
        FaultyProxy(api.port) as proxy,
        httpx.Client(base_url=f"http://127.0.0.1:{proxy.port}", timeout=30, headers={"Connection": "close"}) as http,
    ):
        recorder = Recorder(Environment(round_.settings(settings), network, settings.denylist_dir, time))
        rng = add_viewers(recorder, round_)
        tasks = []
        for n in range(round_.threads):
            instances = [FunctionInstance(recorder.environment, rng.randint(-SKEW_MS, SKEW_MS))]
            runner = HttpMoveRunner(recorder, instances, http, api, f"{round_.seed}:{n}:wire")
            tasks.append(partial(run_plan, runner, round_.plan(n, HTTP_WEIGHTS)))
        run_tasks(tasks)
        proxy.deliver_late()
        verify(recorder)
        return recorder
