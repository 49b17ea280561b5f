"""The indexes of the lists of accounts, sessions and payments, and their attributes in existing rows."""

from chalicelib.adapters.aws import translated
from chalicelib.config import Settings
from infra.migrations.list_places import fill
from infra.migrations.tables import ensure_index

INDEXES = {
    "users": ("by_email",),
    "playback_sessions": ("by_state",),
    "payments": ("by_month", "by_user", "by_source", "by_reference"),
}


def apply(settings: Settings) -> None:
    """Create the indexes that are missing, then fill them from the rows that are there.

    If it is interrupted, the next call goes on with the rows that are still without their place.
    """
    with translated():
        for table, names in INDEXES.items():
            for name in names:
                ensure_index(settings.table_prefix, table, name)
    fill(settings)
