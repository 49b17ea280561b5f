"""Why a session ended."""

from enum import StrEnum


class EndReason(StrEnum):
    """Why a session ended. The API, the player, metrics and the database use the same word."""

    VIEWER_STOPPED = "viewer_stopped"
    BALANCE_EXHAUSTED = "balance_exhausted"
    MAX_POINTS_REACHED = "max_points_reached"
    DAILY_CAP_REACHED = "daily_cap_reached"
    KICKED = "kicked"
    LEASE_EXPIRED = "lease_expired"
    STREAM_PAUSED = "stream_paused"
    STREAM_STOPPED = "stream_stopped"
    SUPERSEDED = "superseded"
