"""The denylist of a gateway on this machine: one file for each entry, in a directory that nginx checks."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.domain.end_reasons import EndReason
from chalicelib.domain.ids import SESSION_ID, STREAM_ID
from chalicelib.ports.common import StoreUnavailable

# Play tokens live at most 90 s, cached decisions 10 s.
SESSION_ENTRY_MS = 5 * 60_000
# A file in both directories. A gateway that cannot see it could not see entries either, and allows nothing.
MARKER = ".kept"


class FileDenylist:
    """The port `Denylist` over a directory: `sessions/<session_id>` and `streams/<stream_id>`, each with its reason."""

    def __init__(self, directory: Path) -> None:
        self._sessions = directory / "sessions"
        self._streams = directory / "streams"

    def prepare(self) -> None:
        """Create the directories and markers, without which the gateway allows nothing. Raise `StoreUnavailable`."""
        with _translated():
            for each in (self._sessions, self._streams):
                each.mkdir(parents=True, exist_ok=True)
                (each / MARKER).touch()

    def deny_session(self, session_id: str, reason: EndReason) -> None:
        if not SESSION_ID.fullmatch(session_id):
            raise ValueError(f"{session_id!r} is no session id")
        self._write(self._sessions / session_id, reason)

    def deny_stream(self, stream_id: str, reason: EndReason) -> None:
        self._write(self._stream(stream_id), reason)

    def allow_stream(self, stream_id: str) -> None:
        with _translated():
            self._stream(stream_id).unlink(missing_ok=True)

    def sweep(self, now_ms: int) -> int:
        swept = 0
        with _translated():
            # Temporary files of a killed process are deleted as well.
            for entry in [*_listed(self._sessions), *self._streams.glob(".*")]:
                if entry.name != MARKER and _age_ms(entry, now_ms) > SESSION_ENTRY_MS:
                    entry.unlink(missing_ok=True)
                    swept += 1
        return swept

    def reason(self, session_id: str, stream_id: str | None) -> EndReason | None:
        """Return why the session, or else the stream, is rejected; None if neither is listed."""
        session = _read(self._sessions / session_id) if SESSION_ID.fullmatch(session_id) else None
        return session or (_read(self._stream(stream_id)) if stream_id else None)

    def _stream(self, stream_id: str) -> Path:
        if not STREAM_ID.fullmatch(stream_id):
            raise ValueError(f"{stream_id!r} is no stream id")
        return self._streams / stream_id

    @staticmethod
    def _write(path: Path, reason: EndReason) -> None:
        # Written to a temporary file and renamed, so that the gateway never sees a partial entry or loses an older one.
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        with _translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(reason.value)
            temporary.replace(path)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"denylist: {error}") from None


def _listed(directory: Path) -> list[Path]:
    # `glob` would hide that the directory cannot be read.
    return list(directory.iterdir()) if directory.is_dir() else []


def _age_ms(path: Path, now_ms: int) -> int:
    try:
        return now_ms - int(path.stat().st_mtime * 1000)
    except FileNotFoundError:
        return 0


def _read(path: Path) -> EndReason | None:
    try:
        return EndReason(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
