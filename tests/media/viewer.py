"""A viewer who pays: holds a session, and fetches each segment of the first rendition once."""

import threading
import time
from pathlib import Path

import httpx
import m3u8

from tests.chaos.viewer_session import ViewerSession
from tests.faults.harness.api_client import Account
from tests.media.judging.segments import Segment

POLL_S = 0.5
JOIN_S = 20.0
SEGMENTS_MAX = 200


class Viewer:
    """A context manager that watches. `segments` are those fetched so far, in their order.

    `multivariant` is the newest multivariant playlist.
    """

    def __init__(self, url: str, account: Account, stream_id: str, directory: Path) -> None:
        self.segments: list[Segment] = []
        self.news_at_s: list[float] = []
        self.multivariant = ""
        self._session = ViewerSession(url, account, stream_id)
        self._http = httpx.Client(base_url=url, timeout=20, trust_env=False)
        self._directory = directory
        self._seen: set[int] = set()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="viewer", daemon=True)

    def __enter__(self) -> "Viewer":
        self._session.__enter__()
        self._directory.mkdir(parents=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(JOIN_S)
        self._session.__exit__()
        self._http.close()

    @property
    def media_s(self) -> float:
        """Return the seconds of media that were fetched."""
        return sum(segment.extinf_s for segment in list(self.segments))

    @property
    def problems(self) -> list[str]:
        """Return why the session ended early, if it did."""
        return self._session.problems

    def _watch(self) -> None:
        while not self._is_over.wait(POLL_S) and len(self.segments) < SEGMENTS_MAX:
            try:
                self._poll()
            except (httpx.HTTPError, OSError):
                # Players retry, too.
                continue

    def _poll(self) -> None:
        root = self._get("index.m3u8")
        variants = m3u8.loads(root.decode()).playlists if root else []
        if root is None or not variants:
            return
        self.multivariant = root.decode()
        rendition = variants[0].uri.partition("/")[0]
        body = self._get(f"{rendition}/index.m3u8")
        playlist = m3u8.loads((body or b"").decode())
        for number, named in enumerate(playlist.segments, playlist.media_sequence or 0):
            if number in self._seen:
                continue
            media = self._get(f"{rendition}/{named.uri}")
            if media is None:
                return
            path = self._directory / f"{number:06d}.ts"
            path.write_bytes(media)
            self._seen.add(number)
            self.segments.append(Segment(path, float(named.duration), bool(named.discontinuity)))
            self.news_at_s.append(time.monotonic())

    def _get(self, media: str) -> bytes | None:
        answer = self._http.get(self._session.path(media), headers=self._session.headers)
        return answer.content if answer.status_code == 200 else None
