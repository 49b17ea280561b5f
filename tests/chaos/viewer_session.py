"""A paid session without a player: it sends heartbeats and keeps the newest play token."""

import threading
from typing import Any

from tests.faults.harness.api_client import Account, ApiClient

STOP_S_MAX = 10.0


class ViewerSession:
    """A context manager that keeps a session alive. `problems` says why the session ended early."""

    def __init__(self, url: str, account: Account, stream_id: str) -> None:
        self.url = url
        self.problems: list[str] = []
        self._client = ApiClient(url, account)
        self._stream_id = stream_id
        self._lease: dict[str, Any] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="viewer session", daemon=True)

    def __enter__(self) -> "ViewerSession":
        answer = self._client.send("POST", "/playback/start", {"stream_id": self._stream_id})
        assert answer.status == 201, f"no session: {answer}"
        self._lease = answer.document
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(STOP_S_MAX)
        self._client.send("POST", "/playback/stop", {"session_id": self._lease["session_id"]})
        self._client.close()

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of a media request."""
        return {"Authorization": f"Bearer {self._lease['play_token']}"}

    def path(self, media: str) -> str:
        """Return the path of a media file in this session."""
        return f"/play/{self._lease['session_id']}/{media}"

    def _beat(self) -> None:
        while not self._stopped.wait(self._lease["next_beat_in_ms"] / 1000):
            body = {"session_id": self._lease["session_id"], "seq": self._lease["seq"] + 1}
            answer = self._client.send("POST", "/playback/heartbeat", body)
            if answer.status != 200:
                self.problems.append(f"the session ended without a stop: {answer}")
                return
            self._lease = answer.document
