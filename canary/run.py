"""One run of the canary: it watches and pays as a viewer does, is kicked, and checks the bill.

It uses the public API and the player's HTTP client, and knows no more of the platform than a viewer.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import m3u8

from canary.credentials import Credentials
from canary.time_limit import within
from chalicelib.domain.operations.canary import CanaryStep
from player.errors import CliError
from player.http.client import Http, client_for, reason_of, retry_after
from player.media.route import REFUSALS
from player.session.playback_api import Lease

MEDIA_S_MAX = 10.0
# The gateway holds a segment that is ahead of payment for 6 s before it answers 429.
AHEAD_TRIES = 3
TOO_MANY_REQUESTS = 429
# After a kick, a cut-off takes less than a second. What is served after this time is a fault.
CUT_OFF_S_MAX, POLL_S = 5.0, 0.05
# As players do: they begin some segments before the end.
BEHIND_SEGMENTS = 3
# The longest lease is a minute.
BEAT_S_MAX = 70.0
# A run ends before the next one, and before its silence is an alarm, whatever a server does.
RUN_S_MAX, CLEAN_UP_S_MAX = 240.0, 20.0
MESSAGE = "This session of the canary is over."
PAGE = 200
# By then an ended session is settled: it takes 3 minutes.
SETTLED_MS = 600_000
# Each lease and the settlement are rounded.
ROUNDED_MILLIPOINTS = 5
MS_PER_S, MS_PER_MINUTE = 1_000, 60_000


class StepFailed(Exception):
    """A step did not work; the message says what was seen."""


@dataclass(frozen=True)
class StepResult:
    """A step, how long it took, and why it failed (empty: it worked)."""

    step: CanaryStep
    ms: int
    failure: str = ""


class Run:
    """A run on one server. `stream_id` is the stream to watch; None: the first live one that costs points."""

    def __init__(self, server: str, credentials: Credentials, stream_id: str | None) -> None:
        self._credentials = credentials
        self._wanted = stream_id
        self._http = Http(server)
        self._media = client_for(server, timeout=MEDIA_S_MAX, follow_redirects=False)
        self._tokens: dict[str, Any] = {}
        self._stream_id = ""
        self._lease: Lease | None = None
        self._before: dict[str, Any] = {}
        self._playlist_url = self._segment_url = ""
        self._charged: int | None = None
        # Waits are no part of a step's time.
        self._waited_s = 0.0

    def steps(self) -> Iterator[StepResult]:
        """Do the steps one by one, and yield each as it ends. The first failure is the last step.

        All of them take `RUN_S_MAX` at most. Whatever happens, the session is ended and the login too.
        """
        deadline = time.monotonic() + RUN_S_MAX
        acts: dict[CanaryStep, Callable[[], None]] = {
            CanaryStep.LOGIN: self._log_in,
            CanaryStep.STREAM: self._choose_stream,
            CanaryStep.START: self._start,
            CanaryStep.PLAYLIST: self._read_playlist,
            CanaryStep.SEGMENT: self._read_segment,
            CanaryStep.PAY: self._pay,
            CanaryStep.KICK: self._kick,
            CanaryStep.CUT_OFF: self._see_cut_off,
            CanaryStep.BILL: self._check_bill,
        }
        try:
            for step in CanaryStep:
                result = self._result(step, acts[step], deadline - time.monotonic())
                yield result
                if result.failure:
                    return
        finally:
            self._clean_up()

    def _result(self, step: CanaryStep, act: Callable[[], None], seconds: float) -> StepResult:
        began, self._waited_s, failure = time.monotonic(), 0.0, ""
        try:
            within(seconds, act)
        except StepFailed as error:
            failure = str(error)
        except CliError as error:
            failure = error.message
        except httpx.HTTPError as error:
            failure = reason_of(error)
        except (KeyError, TypeError, ValueError) as error:
            failure = f"the answer has another form than expected: {error!r}"
        ms = round((time.monotonic() - began - self._waited_s) * MS_PER_S)
        return StepResult(step, max(0, ms), failure)

    def _log_in(self) -> None:
        body = {"email": self._credentials.email, "password": self._credentials.password}
        self._tokens = self._http.request("POST", "/auth/login", body)

    def _choose_stream(self) -> None:
        if self._wanted is not None:
            stream = self._call("GET", f"/streams/{quote(self._wanted, safe='')}")
            found = [stream]
        else:
            found = self._call("GET", f"/streams?limit={PAGE}")["items"]
        watchable = [each for each in found if each["state"] == "live" and each["rate_millipoints_per_minute"] > 0]
        if not watchable:
            wanted = f"{self._wanted} is not live, or free" if self._wanted else "no stream that costs points is live"
            raise StepFailed(f"{wanted}, so there is nothing to watch and pay")
        self._stream_id = watchable[0]["stream_id"]

    def _start(self) -> None:
        self._before = self._call("GET", "/me/wallet")
        answer = self._call("POST", "/playback/start", {"stream_id": self._stream_id, "replace": True})
        self._lease = Lease.from_response(answer, 1)

    def _read_playlist(self) -> None:
        url = self._session.play_url
        for _ in range(2):
            playlist = m3u8.loads(self._fetch(url).text, uri=url)
            if not playlist.is_variant:
                break
            url = playlist.playlists[0].absolute_uri
        if not playlist.segments:
            raise StepFailed("the playlist has no segments")
        self._playlist_url = url
        self._segment_url = playlist.segments[-min(BEHIND_SEGMENTS, len(playlist.segments))].absolute_uri

    def _read_segment(self) -> None:
        if not self._fetch(self._segment_url).content:
            raise StepFailed("the segment is empty")

    def _pay(self) -> None:
        before = self._session
        self._wait(min(BEAT_S_MAX, before.next_beat_in_ms / MS_PER_S))
        body = {"session_id": before.session_id, "seq": before.seq + 1}
        self._lease = Lease.from_response(self._call("POST", "/playback/heartbeat", body), before.seq + 1)
        if self._session.charged_millipoints <= 0:
            raise StepFailed(f"the heartbeat charged {self._session.charged_millipoints} millipoints")
        self._fetch(self._playlist_url)

    def _kick(self) -> None:
        body = {"session_id": self._session.session_id, "reason": "canary", "message": MESSAGE}
        ended = self._http.request("POST", "/playback/kick", body, self._credentials.service_key)
        if (ended["end_reason"], ended["message"]) != ("kicked", MESSAGE):
            raise StepFailed(f"the session has ended as {ended['end_reason']} instead of kicked")
        self._charged = ended["charged_millipoints"]

    def _see_cut_off(self) -> None:
        deadline = time.monotonic() + CUT_OFF_S_MAX
        while self._get(self._segment_url).status_code not in REFUSALS:
            if time.monotonic() > deadline:
                raise StepFailed(f"media was still served {CUT_OFF_S_MAX:.0f} s after the kick")
            time.sleep(POLL_S)

    def _check_bill(self) -> None:
        """Compare what the session says that it cost, its lines in the ledger, and the wallet before and after."""
        session_id = self._session.session_id
        session, wallet = self._call("GET", f"/me/sessions/{session_id}"), self._call("GET", "/me/wallet")
        lines = [
            line
            for line in self._call("GET", f"/me/ledger?limit={PAGE}")["items"]
            if self._before["version"] < line["version"] <= wallet["version"]
        ]
        spent = -sum(line["delta_millipoints"] for line in lines if line["session_id"] == session_id)
        if not session["charged_millipoints"] == spent == self._charged:
            raise StepFailed(
                f"the session cost {session['charged_millipoints']} millipoints, its ledger says {spent},"
                f" and the kick said {self._charged}"
            )
        # A session of an earlier run may have been settled meanwhile, so all lines count.
        balance = self._before["balance_millipoints"] + sum(line["delta_millipoints"] for line in lines)
        if balance != wallet["balance_millipoints"]:
            raise StepFailed(f"the wallet holds {wallet['balance_millipoints']} millipoints, its ledger says {balance}")
        self._check_settled(session_id)

    def _check_settled(self, session_id: str) -> None:
        """Check the session of an earlier run, which costs what it was served once it is settled."""
        for each in self._call("GET", "/me/sessions?limit=20")["items"]:
            ended_ms = each["ended_at_ms"]
            if each["session_id"] == session_id or ended_ms is None or each["kind"] != "viewing":
                continue
            if ended_ms > time.time() * MS_PER_S - SETTLED_MS:
                continue
            self._check_cost(self._call("GET", f"/me/sessions/{each['session_id']}"))
            return

    def _check_cost(self, session: dict[str, Any]) -> None:
        name = f"the session {session['session_id']}"
        if session["settled_at_ms"] is None:
            raise StepFailed(f"{name} ended more than {SETTLED_MS // MS_PER_MINUTE} minutes ago and is not settled")
        if session["media_ms"] is None:
            return  # Its gateway's log was lost, so what it was served is not known.
        rate = session["rate_millipoints_per_minute"]
        # What the stage's settings keep of what was paid and not served.
        unserved = -min(0, session["settled_ms"]) * rate // MS_PER_MINUTE
        kept = max(0, unserved - max(0, session["settled_millipoints"]))
        over = session["charged_millipoints"] - kept - session["media_ms"] * rate // MS_PER_MINUTE
        if abs(over) > ROUNDED_MILLIPOINTS:
            served = f"{session['media_ms']} ms served, at {rate} a minute"
            raise StepFailed(f"{name} cost {session['charged_millipoints']} millipoints for {served}")

    def _clean_up(self) -> None:
        with suppress(CliError):
            within(CLEAN_UP_S_MAX, self._end_session)
        with suppress(CliError):
            within(CLEAN_UP_S_MAX, self._log_out)
        self._media.close()
        self._http.close()

    def _end_session(self) -> None:
        if self._lease is not None and self._charged is None:
            self._call("POST", "/playback/stop", {"session_id": self._session.session_id})

    def _log_out(self) -> None:
        if self._tokens:
            self._http.request("POST", "/auth/logout", {"refresh_token": self._tokens["refresh_token"]})

    @property
    def _session(self) -> Lease:
        assert self._lease is not None
        return self._lease

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._http.request(method, path, body, self._tokens["access_token"])

    def _wait(self, seconds: float) -> None:
        time.sleep(seconds)
        self._waited_s += seconds

    def _get(self, url: str) -> httpx.Response:
        return self._media.get(url, headers={"Authorization": f"Bearer {self._session.play_token}"})

    def _fetch(self, url: str) -> httpx.Response:
        """Return a playlist or a segment. What is ahead of payment is requested again."""
        for attempt in count(1):
            response = self._get(url)
            if response.status_code != TOO_MANY_REQUESTS or attempt == AHEAD_TRIES:
                break
            self._wait(retry_after(response) or 1.0)
        if response.status_code != httpx.codes.OK:
            raise StepFailed(f"{url} answers {response.status_code}")
        return response
