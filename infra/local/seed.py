"""Migrations, then what a local platform begins with: `python -m infra.local.seed`. Idempotent, and only ever local.

Everything is made through the services, as the API would make it, so that the rules hold for it too.
"""

import os
import sys

from chalicelib.bootstrap import Container, container
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
    """The two accounts, the viewer's opening balance and the stream, each unless it is there."""
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
    """`stream-1`: the clip if it has been fetched, else the test pattern."""
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
    """Refuses to touch anything but an emulator on this machine."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint.startswith(f"http://{HOST}:"):
        sys.exit(f"the seed is for a local platform only; AWS_ENDPOINT_URL is {endpoint or 'not set'}")
    services = container()
    migrations.apply(services.settings, say=lambda text: print(f"  {text}", flush=True))
    seed(services, layout_from(os.environ))


if __name__ == "__main__":
    main()
