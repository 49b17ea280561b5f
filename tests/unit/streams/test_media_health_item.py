"""A source's health in a row that a newer or an older version has written."""

from chalicelib.adapters.dynamodb import from_row, to_row
from chalicelib.adapters.streams.media_health_item import health_of, health_values
from chalicelib.domain.streams.media_health import IngestIssue, IngestIssueCode, Repairs, SourceTrack, TrackKind
from chalicelib.domain.streams.runtime import Runtime

TRACK = SourceTrack(kind=TrackKind.VIDEO, track=1, program=None, codec="h264")
ISSUE = IngestIssue(code=IngestIssueCode.AUDIO_GAPS, detail="x", since_ms=1)


def test_a_row_of_an_older_or_newer_version_is_read_and_defaults_take_no_room():
    assert health_of({}) == {"tracks": (), "repairs": None, "issues": ()}
    runtime = Runtime(stream_id="s", tracks=(TRACK,), repairs=Repairs(silence_ms=4), issues=(ISSUE,))
    row = from_row(to_row(health_values(runtime)))
    row["tracks"] = [{**row["tracks"][0], "new": 1}, {**row["tracks"][0], "kind": "subtitles"}]
    row["repairs"]["new"] = 1
    row["issues"] = [{**row["issues"][0], "new": 1}, {**row["issues"][0], "code": "new"}]
    assert health_of(row) == {"tracks": (TRACK,), "repairs": Repairs(silence_ms=4), "issues": (ISSUE,)}
    runtime = Runtime(stream_id="s", tracks=(TRACK,), repairs=Repairs(), issues=())
    track = {"kind": TrackKind.VIDEO, "track": 1, "program": None, "codec": "h264"}
    assert health_values(runtime) == {"tracks": [track], "repairs": {}, "issues": None}
