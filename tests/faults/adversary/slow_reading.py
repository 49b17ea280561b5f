"""A strategy that reads on after a session is settled: nginx logs a transfer at its end."""

import http.client
import time
from contextlib import suppress
from urllib.parse import urlsplit

from tests.faults.adversary.media_client import ANSWER_S_MAX, CHUNK, RawConnection, remote_socket
from tests.faults.adversary.received import Segment
from tests.faults.adversary.viewer import Session, Viewer

# nginx gives up on a transfer whose buffer in the kernel had no room for 30 s, which with less was after a minute.
TRICKLE_BYTES, TRICKLE_S = 60_000, 5.0
# As many as a first lease and the allowance may hold.
SEGMENTS = 4
LOOK_S = 15.0


def read_slowly(viewer: Viewer) -> None:
    """Begin transfers, stop, take a little of each until the session is settled, and then all the rest."""
    open_transfers: list[_Transfer] = []
    look_at_s = 0.0
    while viewer.is_running():
        if viewer.allowance.wait_s() == 0 and (session := viewer.start()):
            wanted = viewer.segments(session)[-SEGMENTS:]
            open_transfers += viewer.each(lambda each, of=session: _Transfer(viewer, of, each), wanted)
            viewer.stop(session)
        if time.monotonic() >= look_at_s:
            look_at_s = time.monotonic() + LOOK_S
            _finish_settled(viewer, open_transfers)
        for transfer in open_transfers:
            transfer.read(TRICKLE_BYTES)
        open_transfers = [each for each in open_transfers if each.is_open]
        viewer.sleep(TRICKLE_S)
    _finish_settled(viewer, open_transfers)
    for transfer in open_transfers:
        transfer.close()


def _finish_settled(viewer: Viewer, transfers: list["_Transfer"]) -> None:
    for session_id in {each.session_id for each in transfers if each.is_open}:
        if viewer.api("GET", f"/me/sessions/{session_id}").document.get("settled_at_ms"):
            for transfer in transfers:
                if transfer.session_id == session_id:
                    transfer.read(transfer.left)


class _Transfer:
    """A transfer whose client decides when it takes how much. `left` are the bytes to come."""

    def __init__(self, viewer: Viewer, session: Session, segment: Segment) -> None:
        self.session_id = session.session_id
        self.left = self._first = self._size = 0
        self._viewer, self._segment = viewer, segment
        parts = urlsplit(viewer.url)
        address = (parts.hostname or "", parts.port or 80)
        self._connection = RawConnection(*address, timeout=ANSWER_S_MAX)
        with suppress(OSError, http.client.HTTPException):
            self._connection.sock = remote_socket(address)
            self._connection.request("GET", viewer.path_of(session, segment), headers=viewer.headers(session.token))
            self._response = self._connection.getresponse()
            if self._response.status == 200:
                self.left = self._size = int(self._response.headers["Content-Length"])

    @property
    def is_open(self) -> bool:
        return self.left > 0

    def read(self, wanted: int) -> None:
        """Take so many bytes, fewer if the transfer ends, and count them."""
        try:
            while wanted > 0 and self.left > 0:
                piece = self._response.read(min(CHUNK, wanted, self.left))
                if not piece:
                    break
                self._viewer.received.add(self.session_id, self._segment, self._first, len(piece), self._size)
                self._first, self.left, wanted = self._first + len(piece), self.left - len(piece), wanted - len(piece)
            else:
                return
        except (OSError, http.client.HTTPException):
            pass
        self.close()

    def close(self) -> None:
        """Break the transfer off."""
        self.left = 0
        self._connection.close()
