"""Runtimes and claims in DynamoDB: one row for each stream, written by workers and by `mark_unclaimed`.

The claim is `worker_id` and `expires_at_ms`, removed at release. `epoch` stays, so it only rises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from chalicelib.adapters.aws import ConditionFailed
from chalicelib.adapters.dynamodb import call, from_row, get_item, get_items, known
from chalicelib.adapters.streams.media_health_item import health_of, health_values
from chalicelib.domain.streams.runtime import Claim, Outage, PublishedRendition, Runtime, RuntimeState, Waiting

# What a worker's report writes.
REPORTED = tuple(name for name in Runtime.__dataclass_fields__ if name not in ("stream_id", "claim", "waiting"))
FREE = "attribute_not_exists(worker_id) OR worker_id = :worker OR expires_at_ms <= :now"
HELD = "worker_id = :worker AND epoch = :epoch"
# An expired claim cannot be renewed: functions count the stream as down, and outages follow from claims.
VALID = f"{HELD} AND expires_at_ms > :now"


class DynamoRuntimes:
    """The port `Runtimes` over the table `stream_runtime`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "stream_runtime"

    def get(self, stream_id: str) -> Runtime | None:
        row = get_item(self._table, {"stream_id": stream_id})
        return _runtime(row) if row else None

    def get_many(self, stream_ids: Iterable[str]) -> Mapping[str, Runtime]:
        rows = map(from_row, get_items(self._table, "stream_id", stream_ids))
        return {row["stream_id"]: _runtime(row) for row in rows}

    def claim(self, stream_id: str, worker_id: str, now_ms: int, expires_at_ms: int) -> Claim | None:
        """Set the state to `starting` as well, since the last worker's report is outdated.

        If the state was `live`, an outage has begun with the last known playlist.
        """
        values = {":worker": worker_id, ":now": now_ms, ":expires": expires_at_ms, ":zero": 0, ":one": 1}
        update = (
            "SET worker_id = :worker, expires_at_ms = :expires, #s = :state,"
            " epoch = if_not_exists(epoch, :zero) + :one,"
            " down_since_ms = if_not_exists(down_since_ms, if_not_exists(last_manifest_at_ms, :now))"
            " REMOVE waiting"
        )
        try:
            row = self._update(stream_id, update, FREE, {**values, ":state": RuntimeState.STARTING}, {"#s": "state"})
        except ConditionFailed:
            return None
        return _claim(row)

    def renew(self, claim: Claim, now_ms: int, expires_at_ms: int, last_manifest_at_ms: int | None) -> Claim | None:
        values = {":worker": claim.worker_id, ":epoch": claim.epoch, ":expires": expires_at_ms, ":now": now_ms}
        update = "SET expires_at_ms = :expires"
        if last_manifest_at_ms is not None:
            update += ", last_manifest_at_ms = :manifest"
            values[":manifest"] = last_manifest_at_ms
        try:
            return _claim(self._update(claim.stream_id, update, VALID, values, {}))
        except ConditionFailed:
            return None

    def release(self, claim: Claim) -> None:
        values = {":worker": claim.worker_id, ":epoch": claim.epoch}
        with suppress(ConditionFailed):
            self._update(claim.stream_id, "REMOVE worker_id, expires_at_ms", HELD, values, {})

    def report(self, claim: Claim, runtime: Runtime) -> bool:
        given = {name: getattr(runtime, name) for name in REPORTED}
        given["outages"] = [[outage.since_ms, outage.until_ms] for outage in runtime.outages]
        given["published"] = [vars(rendition) for rendition in runtime.published]
        given |= health_values(runtime)
        kept = {name: value for name, value in given.items() if value is not None}
        dropped = [name for name in REPORTED if name not in kept]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
        if dropped:
            update += " REMOVE " + ", ".join(f"#{name}" for name in dropped)
        values = {f":{name}": value for name, value in kept.items()}
        held = {":worker": claim.worker_id, ":epoch": claim.epoch, ":now": runtime.reported_at_ms}
        try:
            self._update(claim.stream_id, update, VALID, {**values, **held}, {f"#{name}": name for name in REPORTED})
        except ConditionFailed:
            return False
        return True

    def mark_unclaimed(
        self, seen: Runtime, state: RuntimeState, error: str | None, waiting: Waiting | None, down_since_ms: int
    ) -> None:
        update = "SET #s = :state, down_since_ms = if_not_exists(down_since_ms, :since)"
        update += ", last_error = :error" if error is not None else ""
        update += ", waiting = :waiting" if waiting is not None else " REMOVE waiting"
        values: dict[str, Any] = {":state": state, ":error": error, ":waiting": waiting, ":since": down_since_ms}
        if seen.claim is None:
            condition = "attribute_not_exists(worker_id)"
        else:
            # A renewal changes the expiry, a new claim the epoch.
            condition = "epoch = :epoch AND expires_at_ms = :expires"
            values |= {":epoch": seen.claim.epoch, ":expires": seen.claim.expires_at_ms}
        with suppress(ConditionFailed):
            self._update(seen.stream_id, update, condition, values, {"#s": "state"})

    def _update(
        self, stream_id: str, update: str, condition: str, values: dict[str, Any], names: dict[str, str]
    ) -> dict[str, Any]:
        answer = call(
            "update_item",
            self._table,
            key={"stream_id": stream_id},
            update=update,
            condition=condition,
            values=values,
            names=names,
            ReturnValues="ALL_NEW",
        )
        return from_row(answer["Attributes"])


def _claim(row: dict[str, Any]) -> Claim | None:
    return Claim(**known(Claim, row)) if "worker_id" in row else None


def _runtime(row: dict[str, Any]) -> Runtime:
    figures = {name: row[name] for name in REPORTED if name in row}
    for name in ("fps", "speed", "segments_per_minute"):
        if name in figures:
            figures[name] = float(figures[name])
    figures["published"] = tuple(
        PublishedRendition(**{**one, "fps": float(one["fps"])}) for one in figures.get("published", ())
    )
    figures |= health_of(row)
    figures["waiting"] = Waiting(row["waiting"]) if "waiting" in row else None
    figures["outages"] = tuple(Outage(since_ms=since, until_ms=until) for since, until in figures.get("outages", ()))
    return Runtime(
        **{**figures, "stream_id": row["stream_id"], "state": RuntimeState(row["state"]), "claim": _claim(row)}
    )
