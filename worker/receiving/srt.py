"""SRT connections through the system's libsrt: the media libraries of this process have no SRT of their own.

Secrets are options of a socket here, and never part of an address that could be logged. `libsrt` is a part of Debian's
ffmpeg package. The numbers are those of `srt.h`, which never change.
"""

import ctypes
import ipaddress
import socket
import struct

LIBRARIES = ("libsrt-gnutls.so.1.5", "libsrt-openssl.so.1.5", "libsrt.so.1.5")
RCVTIMEO, PASSPHRASE, PBKEYLEN, CONNTIMEO, LATENCY, STREAMID = 14, 26, 27, 36, 23, 46
TEXT_OPTIONS = {"passphrase": PASSPHRASE, "streamid": STREAMID}
NUMBER_OPTIONS = {"pbkeylen": PBKEYLEN, "latency": LATENCY}
CONNECT_MS = 4_000
MESSAGE_BYTES = 1_456
TIMED_OUT, LOST, NO_CONNECTION = 6003, 2001, 2002
WARNING_LEVEL = 4


class SrtError(OSError):
    """SRT has failed; the message is libsrt's."""


class SrtSilence(SrtError):
    """The sender is connected and sent nothing for as long as was allowed."""


class SrtReceiver:
    """One incoming connection. `mute_s` is how long the sender may send nothing at first."""

    def __init__(self, options: dict[str, str], mute_s: float) -> None:
        self._lib = _library()
        self._socket = self._lib.srt_create_socket()
        for name, number in TEXT_OPTIONS.items():
            if options.get(name):
                self._set(number, options[name].encode())
        for name, number in NUMBER_OPTIONS.items():
            if options.get(name):
                # Sources give `latency` in microseconds, as FFmpeg does; libsrt takes milliseconds.
                value = int(options[name]) // (1000 if name == "latency" else 1)
                self._set(number, struct.pack("=i", value))
        self._set(CONNTIMEO, struct.pack("=i", CONNECT_MS))
        self._set(RCVTIMEO, struct.pack("=i", int(mute_s * 1000)))
        self._address = _address(options["host"], int(options["port"]))
        self._buffer = ctypes.create_string_buffer(MESSAGE_BYTES)

    def connect(self) -> None:
        """Connect to the sender. Raise `SrtError`."""
        if self._lib.srt_connect(self._socket, self._address, len(self._address)) < 0:
            reason = self._lib.srt_rejectreason_str(self._lib.srt_getrejectreason(self._socket)).decode()
            raise SrtError(f"the sender could not be reached by SRT: {self._error()} ({reason})")

    def accept(self) -> None:
        """Wait for a sender without a time limit. While it is connected, others are rejected. Raise `SrtError`."""
        is_bound = self._lib.srt_bind(self._socket, self._address, len(self._address)) >= 0
        if not is_bound or self._lib.srt_listen(self._socket, 1) < 0:
            raise SrtError(f"the port cannot be listened at: {self._error()}")
        listener = self._socket
        self._socket = self._lib.srt_accept(listener, None, None)
        reason = self._error()
        self._lib.srt_close(listener)
        if self._socket < 0:
            raise SrtError(f"no sender could be accepted: {reason}")

    def read(self, size: int) -> bytes:
        """Return the next bytes, `b""` at the end of the connection. Raise `SrtSilence` or `SrtError`."""
        count = self._lib.srt_recvmsg(self._socket, self._buffer, MESSAGE_BYTES)
        if count >= 0:
            return self._buffer.raw[:count]
        code = self._lib.srt_getlasterror(None)
        if code == TIMED_OUT:
            raise SrtSilence(self._error())
        if code in (LOST, NO_CONNECTION):
            return b""
        raise SrtError(self._error())

    def _set(self, option: int, value: bytes) -> None:
        if self._lib.srt_setsockflag(self._socket, option, value, len(value)) < 0:
            raise SrtError(f"SRT rejects option {option}: {self._error()}")

    def _error(self) -> str:
        return str(self._lib.srt_getlasterror_str().decode(errors="replace"))


def _library() -> ctypes.CDLL:
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            break
        except OSError:
            continue
    else:
        raise SrtError(f"none of {', '.join(LIBRARIES)} is installed")
    library.srt_getlasterror_str.restype = ctypes.c_char_p
    library.srt_rejectreason_str.restype = ctypes.c_char_p
    library.srt_startup()
    library.srt_setloglevel(WARNING_LEVEL)
    return library


def _address(host: str, port: int) -> bytes:
    """Return a `sockaddr` of this platform."""
    address = ipaddress.ip_address(host)
    if address.version == 4:
        return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + address.packed + bytes(8)
    return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + address.packed + bytes(4)
