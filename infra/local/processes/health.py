"""Health checks: whether each part of the platform answers, in the way in which its clients use it."""

import http.client
import socket
import time
from collections.abc import Callable
from pathlib import Path

from infra.local.layout import HOST, Layout

ANSWER_S_MAX = 5.0
ALIVE_S_MAX = 30.0
RTMP_VERSION, RTMP_HANDSHAKE_BYTES = b"\x03", 1536


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_S_MAX)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_S_MAX)
        self.sock.connect(str(self._path))


def checks(layout: Layout) -> dict[str, Callable[[], bool]]:
    """Return a check for each part, in the order in which the parts are started."""
    return {
        "emulator": lambda: _status(_tcp(layout.emulator_port), "/_ministack/health") == 200,
        "api": lambda: _status(UnixConnection(layout.socket("api")), "/healthz") == 200,
        # A request without a token is refused, which shows that authorization works.
        "endpoints": lambda: _status(UnixConnection(layout.socket("endpoints")), "/verdict") == 401,
        "scheduler": lambda: _touched(layout.run_dir / "scheduler.alive"),
        "worker": lambda: _touched(layout.work_dir / f"{layout.worker_id}.alive"),
        # Touched when all of the log has been counted.
        "usage": lambda: _touched(layout.run_dir / "usage.alive"),
        "refusals": lambda: _touched(layout.run_dir / "refusals.alive"),
        # It answers by RTMP, and its hook refuses a request without parameters.
        "ingest": lambda: (
            _answers_rtmp(layout.rtmp_port) and _status(UnixConnection(layout.socket("ingest")), "/publish") == 403
        ),
        "nginx": lambda: _status(_tcp(layout.port), "/healthz") == 200,
    }


def optional_checks(layout: Layout) -> dict[str, Callable[[], bool]]:
    """Return a check for each part that runs only on request."""
    return {
        "prometheus": lambda: _status(_tcp(layout.prometheus_port), "/-/ready") == 200,
        # Whether its runs work is for the metrics to say.
        "canary": lambda: layout.canary_file.exists(),
    }


def accepts_connections(path: Path) -> bool:
    """Return whether a process listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_S_MAX)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            # A full queue or a missing permission: something may listen.
            return True
    return True


def _tcp(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(HOST, port, timeout=ANSWER_S_MAX)


def _status(connection: http.client.HTTPConnection, path: str) -> int:
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _answers_rtmp(port: int) -> bool:
    """Return whether an RTMP server answers a handshake (version and 1536 bytes) with its own."""
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_S_MAX) as connection:
            connection.sendall(RTMP_VERSION + bytes(RTMP_HANDSHAKE_BYTES))
            return connection.recv(1) == RTMP_VERSION
    except OSError:
        return False


def _touched(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < ALIVE_S_MAX
    except FileNotFoundError:
        return False
