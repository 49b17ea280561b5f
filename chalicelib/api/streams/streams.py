"""Routes for streams: listing for viewers, settings and commands for operators."""

from typing import Any

from chalicelib.api.endpoint import Call, Routes
from chalicelib.api.models.common import LIST_LIMIT_DEFAULT, ListAnswer, ListQuery
from chalicelib.api.models.ingest_issues import IngestIssueAnswer, IngestIssuesQuery, issue_answer
from chalicelib.api.models.playback import StartAnswer
from chalicelib.api.models.runtimes import RuntimeAnswer, StreamLogAnswer
from chalicelib.api.models.streams import (
    CreateStreamRequest,
    EditAnswer,
    EditQuery,
    EditStreamRequest,
    StateRequest,
    StreamAnswer,
    StreamSettingsAnswer,
)
from chalicelib.api.wire import start_answer, stream_answer, stream_settings_answer
from chalicelib.domain.accounts.users import OPERATORS, VIEWERS
from chalicelib.domain.ids import new_stream_id
from chalicelib.domain.streams.issues.ingest_issues import IssueState
from chalicelib.domain.streams.stream import Stream

routes = Routes("streams")
EDITS: dict[str, Any] = {"etag": True, "if_match": True}


@routes.add("GET", "/streams", roles=VIEWERS, query=ListQuery)
def list_streams(call: Call) -> ListAnswer[StreamAnswer]:
    """List the streams, with rate and state."""
    page = call.services.streams.listing(**dict(call.query))
    return ListAnswer(items=[stream_answer(view) for view in page.items], next_cursor=page.next_cursor)


@routes.add(
    "GET", "/streams/{stream_id}", roles=VIEWERS, operators_answer=StreamSettingsAnswer, etag=True, refusals={403}
)
def get_stream(call: Call, stream_id: str) -> StreamAnswer:
    """Return one stream. Operators see its settings too."""
    view = call.services.streams.view(stream_id)
    if call.caller is None or call.caller.role not in OPERATORS:
        return stream_answer(view)
    # The settings contain the ingest key.
    call.services.auth.check_account(call.caller, OPERATORS)
    return stream_settings_answer(call, view)


@routes.add("POST", "/streams", roles=OPERATORS, body=CreateStreamRequest, status=201, etag=True, refusals={409})
def create_stream(call: Call) -> StreamSettingsAnswer:
    """Create a stopped stream. Everything but title and ingest has a default."""
    values = _settings(call.body)
    stream_id = values.pop("stream_id", None) or new_stream_id()
    stream = call.services.streams.create(Stream(stream_id=stream_id, **values), by=call.actor)
    return _changed(call, stream)


@routes.add(
    "PATCH", "/streams/{stream_id}", roles=OPERATORS, body=EditStreamRequest, query=EditQuery, **EDITS, refusals={409}
)
def edit_stream(call: Call, stream_id: str) -> EditAnswer:
    """Change settings; fields that are left out stay. Reports whether the encoder restarts, and how many watch."""
    dry_run = call.query.dry_run
    edit = call.services.streams.edit(
        stream_id, _settings(call.body), dry_run=dry_run, by=call.actor, expected=call.expected
    )
    settings = stream_settings_answer(call, edit.view)
    return EditAnswer(**settings.model_dump(), applies=edit.applies, viewers=edit.viewers, dry_run=dry_run)


@routes.add("DELETE", "/streams/{stream_id}", roles=OPERATORS, status=204, if_match=True)
def archive_stream(call: Call, stream_id: str) -> None:
    """Stop a stream and hide it. Its history stays."""
    call.services.streams.archive(stream_id, by=call.actor, expected=call.expected)


@routes.add("POST", "/streams/{stream_id}/state", roles=OPERATORS, body=StateRequest, **EDITS)
def set_stream_state(call: Call, stream_id: str) -> StreamSettingsAnswer:
    """Set the desired state. Sessions of a stream that is no longer live end with a refund."""
    changed = call.services.streams.set_state(stream_id, call.body.state, by=call.actor, expected=call.expected)
    return _changed(call, changed)


@routes.add("POST", "/streams/{stream_id}/restart", roles=OPERATORS, **EDITS)
def restart_stream(call: Call, stream_id: str) -> StreamSettingsAnswer:
    """Restart the encoder. Viewers stay."""
    return _changed(call, call.services.streams.restart(stream_id, by=call.actor, expected=call.expected))


@routes.add("POST", "/streams/{stream_id}/ingest-key", roles=OPERATORS, **EDITS)
def rotate_ingest_key(call: Call, stream_id: str) -> StreamSettingsAnswer:
    """Replace the ingest key. A sender with the old key is disconnected within seconds."""
    changed = call.services.streams.rotate_ingest_key(stream_id, by=call.actor, expected=call.expected)
    return _changed(call, changed)


@routes.add("GET", "/streams/{stream_id}/runtime", roles=OPERATORS)
def stream_runtime(call: Call, stream_id: str) -> RuntimeAnswer:
    """Return what the stream's worker reports."""
    view = call.services.streams.view(stream_id)
    runtime, claim = view.runtime, view.runtime.claim
    values = {
        **vars(runtime),
        "state": view.state,
        "worker_id": claim.worker_id if claim else None,
        "epoch": claim.epoch if claim else None,
        "claim_expires_at_ms": claim.expires_at_ms if claim else None,
        "outages": view.outages,
        "manifest_age_ms": view.manifest_age_ms,
        "last_error": call.services.ingest_refusals.last_error(view),
        "issues": [issue_answer(issue) for issue in call.services.ingest_issues.open_issues(stream_id)],
    }
    return RuntimeAnswer.model_validate(values)


@routes.add("GET", "/streams/{stream_id}/log", roles=OPERATORS)
def stream_log(call: Call, stream_id: str) -> StreamLogAnswer:
    """List the last lines of the newest encoder runs and failed sources, newest first, in one page.

    It also has the reasons why the RTMP ingest rejected or disconnected senders in the last 24 h, and the newest
    ingest issues.
    """
    runs = call.services.run_logs.newest(stream_id)
    refusals = call.services.ingest_refusals.newest(stream_id)
    page = call.services.ingest_issues.listing(stream_id, state=IssueState.ALL, limit=LIST_LIMIT_DEFAULT, cursor=None)
    issues = [issue_answer(issue) for issue in page.items]
    values = {"items": runs, "next_cursor": None, "ingest_refusals": refusals, "issues": issues}
    return StreamLogAnswer.model_validate(values)


@routes.add("GET", "/streams/{stream_id}/issues", roles=OPERATORS, query=IngestIssuesQuery)
def list_stream_issues(call: Call, stream_id: str) -> ListAnswer[IngestIssueAnswer]:
    """List the ingest issues of a stream, the one found last first. Closed ones are kept for 30 days."""
    stream = call.services.streams.get(stream_id)
    page = call.services.ingest_issues.listing(stream.stream_id, **dict(call.query))
    return ListAnswer(items=[issue_answer(issue) for issue in page.items], next_cursor=page.next_cursor)


@routes.add("POST", "/streams/{stream_id}/preview", roles=OPERATORS, status=201, refusals={409})
def preview_stream(call: Call, stream_id: str) -> StartAnswer:
    """Open a free session of ten minutes for the operator."""
    return start_answer(call, call.services.playback.preview(stream_id, client=call.client, by=call.actor))


def _changed(call: Call, stream: Stream) -> StreamSettingsAnswer:
    return stream_settings_answer(call, call.services.streams.view_of(stream))


def _settings(body: Any) -> dict[str, Any]:
    """Return the stream fields that a request sets."""
    given = {name: value for name, value in body if value is not None}
    if "ingest" in given:
        given["ingest"] = given["ingest"].source()
    if "backups" in given:
        given["backups"] = tuple(source.source() for source in given["backups"])
    if "custom_renditions" in given:
        given["custom_renditions"] = tuple(each.rendition() for each in given["custom_renditions"])
    return given
