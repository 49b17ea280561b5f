"""Usage in the table `usage`, and answer counters in the table `metrics`.

A row of `usage` is a session (or a day, `day:YYYY-MM-DD`): media_ms, media_bytes, segments, requests, first_at_ms,
expires_at_s, and for each follower `l_<follower>`, its last time, since DynamoDB cannot write a maximum, and
`s_<follower>`, the segments that it counted (`domain/money/served_spans.py`), and `f_<follower>`, what was fetched
lately (`domain/operations/fetches.py`). The row
`followers` holds of each follower `m_<follower>`, its position, `r_<follower>`, the time of its report,
`w_<follower>`, how many sessions fetch, and `x_<follower>`, the ranges that it lost.

A row of `metrics` is a minute of the whole gateway (shard `gateway`) or an hour of a stream (shard
`stream:<stream_id>`, minute: the hour's first): counters, expires_at_s. The totals of a follower (shard
`gateway:<follower>`, minute 0) do not expire. The functions keep their counters in the same table.

In both, `b_<follower>` is the last batch that this follower added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.adapters.aws import client, translated
from chalicelib.adapters.dynamodb import all_rows, call, from_row, get_item, get_items, page_of, parameters, write_if
from chalicelib.adapters.operations.dynamodb_counters import KEEP_S as KEEP_COUNTERS_S
from chalicelib.adapters.operations.dynamodb_counters import MINUTES_MAX
from chalicelib.domain.money.served_spans import Span, from_text, overlap_of, to_text
from chalicelib.domain.money.usage import Follower, Served
from chalicelib.domain.operations.fetches import Fetches
from chalicelib.domain.operations.traffic import MINUTE_MS, TOTALS_MINUTE, StreamTraffic, traffic_of
from chalicelib.ports.common import ListPage
from chalicelib.ports.money.usage import SessionUsage

KEEP_S = 90 * 24 * 3600
# Followers that ever counted. A gateway keeps its follower's name over restarts, as long as it keeps its checkpoint.
FOLLOWERS_MAX = 100_000
FOLLOWERS = "followers"
ADDED = ("media_ms", "media_bytes", "segments", "requests")
GATEWAY, STREAM = "gateway", "stream:"
NO_COUNTERS = ("minute", "shard", "expires_at_s")


class DynamoUsage:
    """The port `Usage`."""

    def __init__(self, table_prefix: str) -> None:
        self._table = table_prefix + "usage"
        self._metrics = table_prefix + "metrics"

    def add(
        self,
        key: str,
        served: Served,
        *,
        follower: str,
        batch: int,
        now_ms: int,
        spans: Sequence[Span] = (),
        fetches: Fetches | None = None,
    ) -> bool:
        last: dict[str, int | str] = {f"l_{follower}": served.last_at_ms, "expires_at_s": now_ms // 1000 + KEEP_S}
        if spans:
            last[f"s_{follower}"] = to_text(spans)
        if fetches is not None:
            last[f"f_{follower}"] = fetches.to_text()
        return _add_once(
            self._table,
            {"session_id": key},
            {name: getattr(served, name) for name in ADDED},
            last=last,
            first={"first_at_ms": served.first_at_ms},
            batch=(f"b_{follower}", batch),
        )

    def get(self, key: str) -> Served | None:
        row = get_item(self._table, {"session_id": key})
        return _served(row) if row else None

    def of_sessions(self, session_ids: Iterable[str]) -> Mapping[str, SessionUsage]:
        rows = map(from_row, get_items(self._table, "session_id", session_ids))
        return {row["session_id"]: SessionUsage(served=_served(row), fetches=_fetches(row)) for row in rows}

    def count(self, minute: int, stream_id: str, counts: Mapping[str, int], *, follower: str, batch: int) -> bool:
        shard = STREAM + stream_id if stream_id else GATEWAY
        last = {"expires_at_s": minute * MINUTE_MS // 1000 + KEEP_COUNTERS_S}
        if minute == TOTALS_MINUTE:
            # A row for each follower, or the names of all followers would make one row ever longer.
            shard, last = f"{GATEWAY}:{follower}", {}
        key, number = {"minute": minute, "shard": shard}, (f"b_{follower}", batch)
        return _add_once(self._metrics, key, counts, last=last, first={}, batch=number)

    def totals(self) -> Mapping[str, int]:
        total: Counter[str] = Counter()
        request = self._counters(TOTALS_MINUTE, "begins_with(#s, :s)", {":s": f"{GATEWAY}:"})
        for row in all_rows("query", {**request, "ConsistentRead": True}, FOLLOWERS_MAX):
            total.update(_counts(from_row(row)))
        return total

    def counted(self, from_minute: int, to_minute: int) -> Mapping[str, int]:
        total: Counter[str] = Counter()
        for minute in range(max(from_minute, to_minute - MINUTES_MAX + 1), to_minute + 1):
            with translated():
                answer = client("dynamodb").query(**self._counters(minute, "#s = :s", {":s": GATEWAY}))
            for row in answer["Items"]:
                total.update(_counts(from_row(row)))
        return total

    def counted_by_stream(self, hour_minute: int, *, limit: int, cursor: str | None) -> ListPage[StreamTraffic]:
        request = self._counters(hour_minute, "begins_with(#s, :s)", {":s": STREAM})
        request["Limit"] = limit
        position, within = ("minute", "shard"), {"minute": hour_minute}
        return page_of("query", request, cursor, _stream_traffic, position=position, within=within)

    def _counters(self, minute: int, shard: str, values: dict[str, Any]) -> dict[str, Any]:
        return parameters(
            self._metrics,
            KeyConditionExpression=f"#m = :m AND {shard}",
            names={"#m": "minute", "#s": "shard"},
            values={":m": minute, **values},
        )

    def mark(
        self,
        follower: str,
        through_ms: int,
        lost: Sequence[tuple[int, int]] = (),
        *,
        reported_at_ms: int | None = None,
        watching: int | None = None,
    ) -> None:
        values: dict[str, Any] = {"m": through_ms, "r": through_ms if reported_at_ms is None else reported_at_ms}
        if lost:
            values["x"] = lost
        if watching is not None:
            values["w"] = watching
        call(
            "update_item",
            self._table,
            key={"session_id": FOLLOWERS},
            update="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            names={f"#{name}": f"{name}_{follower}" for name in values},
            values={f":{name}": value for name, value in values.items()},
        )

    def leave(self, follower: str) -> None:
        call(
            "update_item",
            self._table,
            key={"session_id": FOLLOWERS},
            update="REMOVE #m, #r, #w",
            names={f"#{name}": f"{name}_{follower}" for name in ("m", "r", "w")},
        )

    def followers(self) -> Mapping[str, Follower]:
        row = get_item(self._table, {"session_id": FOLLOWERS}) or {}
        return {
            follower: Follower(
                through_ms=row.get(f"m_{follower}", 0),
                lost=tuple((first, last) for first, last in row.get(f"x_{follower}", ())),
                reported_at_ms=row.get(f"r_{follower}", 0),
                watching=row.get(f"w_{follower}"),
            )
            for follower in {name[2:] for name in row if name[:2] in ("m_", "x_")}
        }


def _add_once(
    table: str,
    key: Mapping[str, Any],
    added: Mapping[str, int],
    *,
    last: Mapping[str, int | str],
    first: Mapping[str, int],
    batch: tuple[str, int],
) -> bool:
    """Add to a row unless it has this batch. Set `last`, and set `first` if missing.

    The batch number is in the same write, so a write whose response was lost is recognized.
    """
    values: dict[str, int | str] = {**added, **last, **first}
    # Some of the names are reserved words of the store.
    short = {name: f"n{i}" for i, name in enumerate(values)}
    sets = ["#b = :b", *(f"#{short[name]} = :{short[name]}" for name in last)]
    sets += [f"#{short[name]} = if_not_exists(#{short[name]}, :{short[name]})" for name in first]
    adds = [f"#{short[name]} :{short[name]}" for name in added]
    return write_if(
        "update_item",
        table,
        key=key,
        update=f"ADD {', '.join(adds)} SET {', '.join(sets)}",
        condition="attribute_not_exists(#b) OR #b < :b",
        names={"#b": batch[0], **{f"#{short[name]}": name for name in values}},
        values={":b": batch[1], **{f":{short[n]}": v for n, v in values.items()}},
    )


def _served(row: Mapping[str, Any]) -> Served:
    last_at_ms = max((value for name, value in row.items() if name.startswith("l_")), default=0)
    added = Served(**{name: row[name] for name in (*ADDED, "first_at_ms")}, last_at_ms=last_at_ms)
    return added.without(overlap_of(from_text(row[name]) for name in sorted(row) if name.startswith("s_")))


def _fetches(row: Mapping[str, Any]) -> dict[str, Fetches]:
    return {name[2:]: Fetches.from_text(text) for name, text in row.items() if name.startswith("f_")}


def _counts(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in row.items() if name not in NO_COUNTERS and not name.startswith("b_")}


def _stream_traffic(row: dict[str, Any]) -> StreamTraffic:
    return StreamTraffic(
        stream_id=row["shard"].removeprefix(STREAM),
        hour_ms=row["minute"] * MINUTE_MS,
        traffic=traffic_of(_counts(row)),
    )
