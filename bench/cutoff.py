"""Measure how long media is served after a session's end: `python -m bench.cutoff [--trials 200] [--players 20]`.

There are four causes: a kick, a heartbeat with an empty balance, a disabled user, a paused stream. In each trial a new
viewer's media is fetched from nginx without a pause, hundreds of times a second over all streams, and the session is
ended at a random moment. The output is the time from the API's response to the last byte of the last response 2xx. It
is negative if that byte came first. With `--players`, the real player and mpv watch, and the time is that of mpv's end.
"""

import http.client
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.faults.commands.load import percentile_ms
from tests.faults.harness.api_client import Answer, ApiClient
from tests.faults.harness.command_line import command_parser
from tests.faults.harness.private_stack import PASSWORD, Operator, private_stack
from tests.fixtures.waiting import wait_for
from tests.integration.player.player_harness import PlayProcess, logged_in

CAUSES = ("kick", "zero balance", "user disabled", "stream paused")
STREAMS = 4
# More players with mpv, beside the encoders of their streams, would measure the load of this machine.
PLAYER_STREAMS = 2
RATE_MILLIPOINTS_PER_MINUTE = 60_000
# The session is ended this long after media was served first.
MOMENTS_S = (0.2, 1.2)
PLAYER_MOMENTS_S = (2.0, 4.0)
# Longer than any authorization decision, playlist or refusal is cached.
REFUSED_FOR_S = 2.0
PACE_S = 0.005
SEGMENT_EVERY_S = 0.6
IO_S_MAX = 10.0
LIVE_S_MAX = 60.0
TRIAL_S_MAX = 60.0


def main() -> int:
    """Print a line for each cause."""
    parser = command_parser("make cutoff", __doc__)
    parser.add_argument("--trials", type=int, default=200, help="of each cause, at the gateway")
    parser.add_argument("--players", type=int, default=20, help="of each cause, with the player and mpv")
    options = parser.parse_args()
    seed = options.seed
    print(f"seed {seed}, {STREAMS} at a time, of players {PLAYER_STREAMS}", flush=True)
    with private_stack(sessions_per_user_max=1) as stack, ExitStack() as undo:
        homes = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="tollcast-cutoff-")))
        operators = [undo.enter_context(Operator(stack.url)) for _ in range(STREAMS)]
        streams = [TrialStream(number, operator, homes) for number, operator in enumerate(operators)]
        for stream in streams:
            stream.create()
        _measure(streams, seed, options.trials, "last 2xx after the API's response", TrialStream.gateway_trial)
        for stream in streams[PLAYER_STREAMS:]:
            stream.stop()
        _measure(
            streams[:PLAYER_STREAMS],
            seed,
            options.players,
            "mpv ended after the API's response",
            TrialStream.player_trial,
        )
    return 0


def _measure(
    streams: list["TrialStream"],
    seed: int,
    trials: int,
    label: str,
    trial: Callable[["TrialStream", str, random.Random], float],
) -> None:
    for cause in CAUSES if trials else ():
        share = [trials // len(streams) + (number < trials % len(streams)) for number in range(len(streams))]

        def run(stream: TrialStream, count: int, cause: str = cause) -> list[float]:
            rng = random.Random(f"{seed}.{cause}.{stream.number}.{label}")
            return [trial(stream, cause, rng) for _ in range(count)]

        with ThreadPoolExecutor(len(streams)) as pool:
            taken_s = [each for found in pool.map(run, streams, share) for each in found]
        print(
            f"{cause:14} {label}: p50 {statistics.median(taken_s) * 1000:.0f} ms, "
            f"p99 {percentile_ms(taken_s, 99):.0f} ms, longest {max(taken_s) * 1000:.0f} ms, of {len(taken_s)}",
            flush=True,
        )


@dataclass
class Probe:
    """A client that fetches a session's media repeatedly and records when it was served last."""

    address: tuple[str, int]
    source: str
    session: dict[str, Any]
    served: threading.Event = field(default_factory=threading.Event)
    last_served_at_s: float = 0.0
    refused_since_s: float = 0.0
    refusals: set[int] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Fetch the playlists, and the newest segment as often as a viewer may, until `over` is set."""
        connection = http.client.HTTPConnection(*self.address, timeout=IO_S_MAX, source_address=(self.source, 0))
        rendition, segment, segment_at_s = self._rendition(connection), "", 0.0
        while not self.over.wait(PACE_S):
            if segment and time.monotonic() > segment_at_s:
                self._fetch(connection, segment)
                segment_at_s = time.monotonic() + SEGMENT_EVERY_S
            text = self._fetch(connection, f"{rendition}/index.m3u8")
            names = [line for line in text.splitlines() if line.endswith(".ts")]
            segment = f"{rendition}/{names[-1]}" if names else segment
        connection.close()

    def _rendition(self, connection: http.client.HTTPConnection) -> str:
        """Wait for the multivariant playlist and return its first rendition."""
        text = wait_for("playlist", lambda: self._fetch(connection, "index.m3u8"), LIVE_S_MAX)
        return str(next(line for line in text.splitlines() if line.endswith("/index.m3u8"))).partition("/")[0]

    def _fetch(self, connection: http.client.HTTPConnection, media: str) -> str:
        headers = {"Authorization": f"Bearer {self.session['play_token']}"}
        connection.request("GET", f"/play/{self.session['session_id']}/{media}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        now_s = time.monotonic()
        if answer.status == 200:
            self.last_served_at_s, self.refused_since_s = now_s, 0.0
            if media.endswith(".m3u8") and media != "index.m3u8":
                self.served.set()
            return body.decode() if media.endswith(".m3u8") else ""
        self.refusals.add(answer.status)
        self.refused_since_s = self.refused_since_s or now_s
        return ""

    def is_refused(self) -> bool:
        """Return whether nothing was served for `REFUSED_FOR_S`."""
        return self.refused_since_s > 0 and time.monotonic() - self.refused_since_s > REFUSED_FOR_S


class TrialStream:
    """A stream with one viewer after another, from a separate address."""

    def __init__(self, number: int, operator: Operator, homes: Path) -> None:
        self.number = number
        self._stream_id = f"cutoff-{number}"
        self._operator = operator
        self._homes = homes

    def stop(self) -> None:
        """Stop the stream, so that the others have the processors."""
        self._state("stopped")
        wait_for("stopped stream", lambda: self._is("stopped"), LIVE_S_MAX)

    def create(self) -> None:
        """Create a stream of the test pattern in the smallest rendition, and put it live."""
        settings = {
            "ingest": {"mode": "test"},
            "abr_profile": "sd",
            "segment_seconds": 1,
            "lease_ms": 5_000,
            "rate_millipoints_per_minute": RATE_MILLIPOINTS_PER_MINUTE,
        }
        self._operator.do("POST", "/streams", {"stream_id": self._stream_id, "title": self._stream_id, **settings})
        self._live()

    def _live(self) -> None:
        self._state("live")
        wait_for("live stream", lambda: self._is("live"), LIVE_S_MAX)

    def _state(self, state: str) -> Answer:
        return self._operator.do("POST", f"/streams/{self._stream_id}/state", {"state": state})

    def _is(self, state: str) -> bool:
        runtime = self._operator.do("GET", f"/streams/{self._stream_id}/runtime").document
        return bool(runtime["state"] == state)

    def gateway_trial(self, cause: str, rng: random.Random) -> float:
        """Return the seconds from the API's response to the last byte that was served."""
        balance = round(rng.uniform(*MOMENTS_S) * 1000) if cause == "zero balance" else 100_000
        account, viewer = self._operator.viewer(balance)
        with ApiClient(self._operator.url, account) as client:
            started = client.send("POST", "/playback/start", {"stream_id": self._stream_id})
            assert started.status == 201, started
            parts = urlsplit(self._operator.url)
            probe = Probe((parts.hostname or "", parts.port or 80), f"127.0.1.{self.number + 1}", started.document)
            thread = threading.Thread(target=probe.run, daemon=True)
            thread.start()
            try:
                assert probe.served.wait(TRIAL_S_MAX), "nothing was served"
                if cause == "zero balance":
                    answered_at_s = _beat_to_the_end(client, started.document)
                else:
                    time.sleep(rng.uniform(*MOMENTS_S))
                    answered_at_s = self._end(cause, viewer.user_id, started.document["session_id"])
                wait_for("refusal", probe.is_refused, TRIAL_S_MAX)
            finally:
                probe.over.set()
                thread.join(IO_S_MAX)
        self._resume(cause)
        return probe.last_served_at_s - answered_at_s

    def player_trial(self, cause: str, rng: random.Random) -> float:
        """Return the seconds from the API's response to the end of mpv."""
        lease_ms = round(rng.uniform(*PLAYER_MOMENTS_S) * 1000)
        account, viewer = self._operator.viewer(lease_ms if cause == "zero balance" else 100_000)
        home = self._homes / viewer.user_id
        home.mkdir()
        player = logged_in(self._operator.url, home, account.email, PASSWORD)
        playback = player.play(stream_id=self._stream_id)
        try:
            session = wait_for("session", lambda: self._session_of(viewer.user_id), TRIAL_S_MAX)
            if cause == "zero balance":
                # The player's heartbeat finds the empty balance. The end of the paid time is before that.
                ends_at_s = session["paid_until_ms"] / 1000 - time.time() + time.monotonic()
            else:
                wait_for("picture", lambda: _is_shown(playback), TRIAL_S_MAX)
                time.sleep(rng.uniform(*PLAYER_MOMENTS_S))
                ends_at_s = self._end(cause, viewer.user_id, session["session_id"])
            wait_for("end of mpv", lambda: not playback.mpv_pids(), TRIAL_S_MAX)
            took_s = time.monotonic() - float(ends_at_s)
        finally:
            player.end_all()
        self._resume(cause)
        return took_s

    def _resume(self, cause: str) -> None:
        if cause == "stream paused":
            wait_for("stopped stream", lambda: self._is("stopped"), LIVE_S_MAX)
            self._live()

    def _session_of(self, user_id: str) -> dict[str, Any] | None:
        wallet = self._operator.do("GET", f"/wallets/{user_id}").document
        return next(iter(wallet["sessions"]), None)

    def _end(self, cause: str, user_id: str, session_id: str) -> float:
        """End the session. Return when the API had responded."""
        if cause == "kick":
            self._operator.do("POST", "/playback/kick", {"session_id": session_id, "reason": "cutoff"})
        elif cause == "user disabled":
            self._operator.do("PATCH", f"/users/{user_id}", {"disabled": True})
        else:
            self._state("paused")
        return time.monotonic()


def _beat_to_the_end(client: ApiClient, session: dict[str, Any]) -> float:
    """Send heartbeats as a player does until the balance is empty. Return when that response came."""
    seq = session["seq"]
    while True:
        time.sleep(session["next_beat_in_ms"] / 1000)
        seq += 1
        answer = client.send("POST", "/playback/heartbeat", {"session_id": session["session_id"], "seq": seq})
        if answer.status == 402:
            return time.monotonic()
        assert answer.status == 200, answer
        session, seq = answer.document, answer.document["seq"]


def _is_shown(playback: PlayProcess) -> bool:
    assert playback.process.poll() is None, "the player has ended"
    return playback.is_shown()


if __name__ == "__main__":
    sys.exit(main())
