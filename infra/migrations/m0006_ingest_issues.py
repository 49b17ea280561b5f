"""The table of ingest issues."""

from chalicelib.adapters.aws import translated
from chalicelib.config import Settings
from infra.migrations.tables import ensure_expiry, ensure_table


def apply(settings: Settings) -> None:
    """Create the table if it is missing."""
    with translated():
        ensure_table(settings.table_prefix, "ingest_issues")
        ensure_expiry(settings.table_prefix, "ingest_issues")
