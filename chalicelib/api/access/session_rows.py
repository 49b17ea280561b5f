"""Sessions of all viewers as their wire model."""

from chalicelib.api.models.playback import SessionAnswer
from chalicelib.services.access.session_rows import SessionRow


def session_answer(row: SessionRow) -> SessionAnswer:
    """Return a row of the list of sessions."""
    client, session = row.client, row.session
    values = {**vars(row.record), **vars(row), **vars(row.recent), "active": row.record.active}
    values |= {"ip": client.ip if client else None, "user_agent": client.user_agent if client else None}
    values["paid_until_ms"] = session.paid_until_ms if session else None
    if session is not None:
        values["charged_millipoints"] = session.charged_millipoints
    return SessionAnswer.model_validate(values)
