"""What a sample of a stream or of the platform holds, from what is known at its time."""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain.money.sessions import SessionKind, SessionRecord
from chalicelib.domain.operations.series import OF_GATEWAYS, Sample, SeriesName, Slot, Value, value_of
from chalicelib.domain.streams.runtime import Runtime, is_delivered
from chalicelib.domain.streams.stream import DesiredState, Stream


def stream_sample(
    stream: Stream,
    runtime: Runtime,
    sessions: Sequence[SessionRecord],
    served: Sequence[int] | None,
    now_ms: int,
) -> Sample:
    """Return the sample of a stream. `served` are the columns `OF_GATEWAYS` of the minute, None if they are unknown.

    What a worker reports counts while it holds its claim. What the sessions spend is their rate at this time: nothing
    while the stream is not delivered.
    """
    is_claimed = runtime.is_claimed(now_ms)
    is_live = stream.desired_state is DesiredState.LIVE
    rates = [each.rate_millipoints_per_minute for each in sessions if each.kind is SessionKind.VIEWING]
    published_ms = runtime.last_manifest_at_ms
    return Sample(
        gauges={
            "active_sessions": len(sessions),
            "ingest_bitrate_bps": runtime.ingest_bitrate_bps if is_claimed else None,
            "segments_per_minute": runtime.segments_per_minute if is_claimed else None,
            "manifest_age_ms": max(0, now_ms - published_ms) if is_live and published_ms is not None else None,
        },
        counts={
            "spent_millipoints": sum(rates) if is_delivered(runtime, now_ms) else 0,
            **(dict.fromkeys(OF_GATEWAYS) if served is None else dict(zip(OF_GATEWAYS, served, strict=True))),
        },
    )


def platform_gauges(samples: Iterable[Sample], active_sessions: int, cut_off_p99_ms: int | None) -> Slot:
    """Return the gauges of the platform: sums over its streams, and the greatest manifest age."""
    of_streams = [sample.gauges or {} for sample in samples]

    def known(column: str) -> list[int | float]:
        return [value for gauges in of_streams if (value := gauges.get(column)) is not None]

    bitrates, segments = known("ingest_bitrate_bps"), known("segments_per_minute")
    return {
        "active_sessions": active_sessions,
        "ingest_bitrate_bps": sum(bitrates) if bitrates else None,
        "segments_per_minute": round(sum(segments), 3) if segments else None,
        "manifest_age_ms": max(known("manifest_age_ms"), default=None),
        "cut_off_p99_ms": cut_off_p99_ms,
    }


def latest_figures(gauges: Slot, counts: Iterable[Slot]) -> Mapping[SeriesName, Value]:
    """Return the newest known value of each series. `counts` are those of the last minutes, oldest first."""
    newest = dict(gauges)
    for slot in counts:
        newest |= {column: value for column, value in slot.items() if value is not None}
    return {name: value_of(name, newest) for name in SeriesName}
