"""The operator's requests to the HTTP API that the demo needs."""

import time
import uuid
from typing import Any

import httpx

from infra.local.demo.clip import Source
from infra.local.setup import seed

ANSWER_S_MAX = 15.0
LIVE_S_MAX = 60.0
ADJUST_TRIES = 5


class OperatorError(Exception):
    """A request to the API failed."""


class Operator:
    """A client that is logged in as the local admin."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=ANSWER_S_MAX, trust_env=False)
        answer = self._login(seed.ADMIN_EMAIL, seed.ADMIN_PASSWORD)
        self._client.headers["Authorization"] = "Bearer " + answer["access_token"]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def viewer_id(self) -> str:
        """Return the demo viewer's user id."""
        return str(self._login(seed.VIEWER_EMAIL, seed.VIEWER_PASSWORD)["user"]["user_id"])

    def set_balance(self, user_id: str, millipoints: int) -> None:
        """End the user's sessions and set the wallet's balance by one adjustment."""
        for session in self._call("GET", "/sessions", params={"user_id": user_id, "state": "active"})["items"]:
            self._call("POST", "/playback/kick", json={"session_id": session["session_id"], "reason": "demo"})
        for _ in range(ADJUST_TRIES):
            difference = millipoints - int(self._call("GET", f"/wallets/{user_id}")["balance_millipoints"])
            if difference == 0:
                return
            # Each try is a separate adjustment by another difference, so it has a new id.
            body = {"millipoints": difference, "payment_id": f"demo:{uuid.uuid4()}", "note": "make demo"}
            self._call("POST", f"/wallets/{user_id}/credit", json=body)
        raise OperatorError("The demo viewer's balance keeps changing. End other sessions of this account.")

    def desired_state(self) -> str:
        """Return the state that was last requested for the stream."""
        return str(self._stream()["desired_state"])

    def show(self, source: Source) -> None:
        """Set the stream's source if it differs, and put the stream live."""
        stream = self._stream()
        ingest = {name: value for name, value in stream["ingest"].items() if value is not None}
        changed = (ingest, stream["title"]) != (source.ingest, source.title)
        if changed:
            body = {"ingest": source.ingest, "title": source.title}
            self._call("PATCH", f"/streams/{seed.STREAM_ID}", json=body)
        if changed and stream["desired_state"] == "live":
            self._call("POST", f"/streams/{seed.STREAM_ID}/restart")
        self.set_state("live")

    def set_state(self, state: str) -> None:
        """Request a state of the stream."""
        self._call("POST", f"/streams/{seed.STREAM_ID}/state", json={"state": state})

    def wait_until_live(self) -> float:
        """Wait until the stream is live and print its states. Return the seconds.

        Raise `OperatorError` at once if its source is refused.
        """
        began, shown = time.monotonic(), ""
        generation = self._stream()["generation"]
        while True:
            runtime = self._call("GET", f"/streams/{seed.STREAM_ID}/runtime")
            if runtime["state"] != shown:
                shown = runtime["state"]
                print(f"  {seed.STREAM_ID} is {shown}", flush=True)
            if shown == "live":
                return time.monotonic() - began
            reason = runtime.get("last_error") or "`make logs` shows the worker's log"
            # It may also be the state of an earlier source.
            if shown == "failed" and runtime["generation"] == generation:
                raise OperatorError(f"{seed.STREAM_ID} cannot be played: {reason}")
            if time.monotonic() - began > LIVE_S_MAX:
                raise OperatorError(f"{seed.STREAM_ID} is not live after {LIVE_S_MAX:.0f} s: {reason}")
            time.sleep(0.3)

    def _stream(self) -> dict[str, Any]:
        return self._call("GET", f"/streams/{seed.STREAM_ID}")

    def _login(self, email: str, password: str) -> dict[str, Any]:
        return self._call("POST", "/auth/login", json={"email": email, "password": password})

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **request)
            document = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise OperatorError(f"{method} {path}: {error}") from None
        if answer.is_error:
            raise OperatorError(f"{method} {path}: {answer.status_code} {document.get('detail', '')}")
        return dict(document)
