"""Whether a port of this machine is free, and which process holds it."""

import errno
import socket
from contextlib import suppress

import psutil

from infra.local.layout import HOST


def is_free(port: int) -> bool:
    """Return whether this platform could listen on the port now."""
    with socket.socket() as probe:
        # Servers set it too: connections that are closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            # A port that this user may not use is not in use. The server that binds it reports the reason.
            return error.errno == errno.EACCES
    return True


def holder(port: int) -> str:
    """Return the name and id of the process that listens on the port, as far as this user may see it."""
    for found in psutil.net_connections("tcp"):
        if found.pid and found.status == psutil.CONN_LISTEN and found.laddr.port == port:
            with suppress(psutil.NoSuchProcess):
                return f"{psutil.Process(found.pid).name()} (pid {found.pid})"
    return "a process of another user"
