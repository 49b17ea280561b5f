"""Why a session ended."""

from enum import StrEnum


class EndReason(StrEnum):
    """Why a session ended; the same word in the API, on mpv's screen, in metrics and in the database."""

    VIEWER_STOPPED = "viewer_stopped"
    BALANCE_EXHAUSTED = "balance_exhausted"
    MAX_POINTS_REACHED = "max_points_reached"
    DAILY_CAP_REACHED = "daily_cap_reached"
    KICKED = "kicked"
    LEASE_EXPIRED = "lease_expired"
    STREAM_PAUSED = "stream_paused"
    STREAM_STOPPED = "stream_stopped"
    SUPERSEDED = "superseded"
