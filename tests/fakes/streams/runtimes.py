"""The port `Runtimes` in memory."""

import threading
from collections.abc import Iterable
from dataclasses import replace

from chalicelib.domain.streams.media_health import bounded_tracks
from chalicelib.domain.streams.runtime import Claim, Runtime, RuntimeState, Waiting


class MemoryRuntimes:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, Runtime] = {}
        self._epochs: dict[str, int] = {}

    def get(self, stream_id: str) -> Runtime | None:
        with self._lock:
            return self._rows.get(stream_id)

    def get_many(self, stream_ids: Iterable[str]) -> dict[str, Runtime]:
        with self._lock:
            return {each: self._rows[each] for each in stream_ids if each in self._rows}

    def claim(self, stream_id: str, worker_id: str, now_ms: int, expires_at_ms: int) -> Claim | None:
        with self._lock:
            row = self._rows.get(stream_id, Runtime(stream_id=stream_id))
            held = row.claim
            if held and held.worker_id != worker_id and held.expires_at_ms > now_ms:
                return None
            self._epochs[stream_id] = self._epochs.get(stream_id, 0) + 1
            claim = Claim(
                stream_id=stream_id,
                worker_id=worker_id,
                epoch=self._epochs[stream_id],
                expires_at_ms=expires_at_ms,
            )
            down = row.down_since_ms if row.down_since_ms is not None else row.last_manifest_at_ms
            down = now_ms if down is None else down
            self._rows[stream_id] = replace(
                row, claim=claim, state=RuntimeState.STARTING, waiting=None, down_since_ms=down
            )
            return claim

    def renew(self, claim: Claim, now_ms: int, expires_at_ms: int, last_manifest_at_ms: int | None) -> Claim | None:
        with self._lock:
            row = self._held(claim, now_ms)
            if row is None:
                return None
            renewed = replace(claim, expires_at_ms=expires_at_ms)
            manifest_ms = row.last_manifest_at_ms if last_manifest_at_ms is None else last_manifest_at_ms
            self._rows[claim.stream_id] = replace(row, claim=renewed, last_manifest_at_ms=manifest_ms)
            return renewed

    def release(self, claim: Claim) -> None:
        with self._lock:
            row = self._held(claim)
            if row is not None:
                self._rows[claim.stream_id] = replace(row, claim=None)

    def report(self, claim: Claim, runtime: Runtime) -> bool:
        with self._lock:
            row = self._held(claim, runtime.reported_at_ms)
            if row is None:
                return False
            kept = replace(runtime, tracks=bounded_tracks(runtime.tracks))
            self._rows[claim.stream_id] = replace(kept, stream_id=claim.stream_id, claim=row.claim)
            return True

    def mark_unclaimed(
        self, seen: Runtime, state: RuntimeState, error: str | None, waiting: Waiting | None, down_since_ms: int
    ) -> None:
        with self._lock:
            row = self._rows.get(seen.stream_id, Runtime(stream_id=seen.stream_id))
            if row.claim == seen.claim:
                kept = row.last_error if error is None else error
                down = down_since_ms if row.down_since_ms is None else row.down_since_ms
                self._rows[seen.stream_id] = replace(
                    row, state=state, last_error=kept, waiting=waiting, down_since_ms=down
                )

    def _held(self, claim: Claim, now_ms: int = 0) -> Runtime | None:
        row = self._rows.get(claim.stream_id)
        held = row.claim if row else None
        valid = held and (held.worker_id, held.epoch) == (claim.worker_id, claim.epoch) and held.expires_at_ms > now_ms
        return row if valid else None
