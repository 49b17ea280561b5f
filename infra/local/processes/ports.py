"""Whether a port of this machine is free, and which process holds it."""

import errno
import socket
from pathlib import Path

from infra.local.layout import HOST

_LISTEN = "0A"


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
    inodes = _listening_inodes(port)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and inodes & _socket_inodes(entry):
            return f"{(entry / 'comm').read_text().strip()} (pid {entry.name})"
    return "a process of another user"


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else ():
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _socket_inodes(process: Path) -> set[str]:
    inodes = set()
    try:
        for descriptor in (process / "fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        pass  # The process has ended, or belongs to another user.
    return inodes
