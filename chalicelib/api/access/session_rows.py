"""Sessions of all viewers as their wire model."""

from typing import Any

from chalicelib.api.models.playback import SessionAnswer, SessionDetailAnswer
from chalicelib.domain.money.reconciliation import SessionReconciliation
from chalicelib.services.access.session_rows import SessionRow


def session_answer(row: SessionRow) -> SessionAnswer:
    """Return a row of the list of sessions."""
    return SessionAnswer.model_validate(_values(row))


def session_detail_answer(row: SessionRow, reconciliation: SessionReconciliation | None) -> SessionDetailAnswer:
    """Return one session with its reconciliation."""
    least, most = (None, None) if row.record.active else row.record.adjustable_millipoints
    details = {"adjust_millipoints_min": least, "adjust_millipoints_max": most, "reconciliation": reconciliation}
    return SessionDetailAnswer.model_validate({**_values(row), **details})


def _values(row: SessionRow) -> dict[str, Any]:
    client, session = row.client, row.session
    values = {**vars(row.record), **vars(row), **vars(row.recent), "active": row.record.active}
    values |= {"ip": client.ip if client else None, "user_agent": client.user_agent if client else None}
    values["paid_until_ms"] = session.paid_until_ms if session else None
    if session is not None:
        values["charged_millipoints"] = session.charged_millipoints
    return values
