"""A viewer's paid session without a player: started, kept up beat by beat, and the token that opens its media."""

import threading
from typing import Any

from tests.faults.harness.api_client import Account, Caller

STOP_S_MAX = 10.0


class Seat:
    """Holds a session while it is entered. `problems` says why the session was lost, if it was."""

    def __init__(self, url: str, account: Account, stream_id: str) -> None:
        self.url = url
        self.problems: list[str] = []
        self._caller = Caller(url, account)
        self._stream_id = stream_id
        self._told: dict[str, Any] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="seat", daemon=True)

    def __enter__(self) -> "Seat":
        answer = self._caller.sure("POST", "/playback/start", {"stream_id": self._stream_id})
        assert answer.status == 201, f"no session: {answer}"
        self._told = answer.document
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(STOP_S_MAX)
        self._caller.sure("POST", "/playback/stop", {"session_id": self._told["session_id"]})
        self._caller.close()

    @property
    def headers(self) -> dict[str, str]:
        """What a request for media has to carry now."""
        return {"Authorization": f"Bearer {self._told['play_token']}"}

    def path(self, media: str) -> str:
        """Where a file of the stream is for this session."""
        return f"/play/{self._told['session_id']}/{media}"

    def _beat(self) -> None:
        while not self._over.wait(self._told["next_beat_in_ms"] / 1000):
            body = {"session_id": self._told["session_id"], "seq": self._told["seq"] + 1}
            answer = self._caller.sure("POST", "/playback/heartbeat", body)
            if answer.status != 200:
                self.problems.append(f"the session ended that nobody stopped: {answer}")
                return
            self._told = answer.document
