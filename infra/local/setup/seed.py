"""Apply the migrations, then create the initial data of a local platform: `python -m infra.local.setup.seed`.

It can be repeated, and refuses any endpoint but a local one. The data is created by the services, as by the API.
"""

import os
import sys

from chalicelib.bootstrap import Container, container
from chalicelib.config import ConfigError
from chalicelib.domain.accounts.users import Role
from chalicelib.domain.streams.ingest import Ingest, IngestMode
from chalicelib.domain.streams.stream import Stream
from infra import migrations
from infra.local.layout import HOST, Layout, layout_from

VIEWER_EMAIL, VIEWER_PASSWORD = "demo@local", "demo"
ADMIN_EMAIL, ADMIN_PASSWORD = "admin@local", "admin"
OPENING_MILLIPOINTS = 100_000
STREAM_ID = "stream-1"
RATE_MILLIPOINTS_PER_MINUTE = 60_000
LEASE_MS = 10_000
CLIP = "bigbuckbunny.mp4"
CLIP_TITLE, PATTERN_TITLE = "Big Buck Bunny", "Test pattern"


def seed(services: Container, layout: Layout) -> None:
    """Create the two accounts, the viewer's opening balance and the stream, each unless it exists."""
    admin = services.accounts.ensure_user(ADMIN_EMAIL, ADMIN_PASSWORD, Role.ADMIN)
    viewer = services.accounts.ensure_user(VIEWER_EMAIL, VIEWER_PASSWORD, Role.VIEWER)
    services.ledger.credit(
        user_id=viewer.user_id,
        millipoints=OPENING_MILLIPOINTS,
        payment_id="opening:demo",
        note="Opening balance of the local demo account",
        by_user_id=admin.user_id,
    )
    services.streams.ensure(first_stream(layout))


def first_stream(layout: Layout) -> Stream:
    """Return `stream-1`: with the clip if it was downloaded, else with the test pattern."""
    has_clip = (layout.media_dir / CLIP).is_file()
    return Stream(
        stream_id=STREAM_ID,
        title=CLIP_TITLE if has_clip else PATTERN_TITLE,
        ingest=Ingest(mode=IngestMode.FILE, path=CLIP) if has_clip else Ingest(mode=IngestMode.TEST),
        abr_profile="hd",
        rate_millipoints_per_minute=RATE_MILLIPOINTS_PER_MINUTE,
        lease_ms=LEASE_MS,
    )


def main() -> None:
    """Run the seed. Exit with a message if a setting is wrong, or the endpoint is no emulator on this machine."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint.startswith(f"http://{HOST}:"):
        sys.exit(f"The seed is for a local platform only. AWS_ENDPOINT_URL is {endpoint or 'not set'}.")
    try:
        services = container()
    except ConfigError as error:
        sys.exit(str(error))
    migrations.apply(services.settings, say=lambda text: print(f"  {text}", flush=True))
    seed(services, layout_from(os.environ))


if __name__ == "__main__":
    main()
