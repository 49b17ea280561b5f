"""Build the dashboard and upload it: `python -m infra.deploy.dashboard BUCKET`, the output DashboardBucketName.

Hashed files come first and the page last, so that the page never names a missing file. Files of earlier builds stay,
for pages that are open.
"""

import sys
from pathlib import Path

from chalicelib.adapters.aws import client
from gateway.nginx.dashboard import ASSET_CACHE_CONTROL, PAGE_CACHE_CONTROL
from infra.dashboard.build import DashboardError, build
from infra.dashboard.project import Project

# As in gateway/nginx/snippets/dashboard_file.conf.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
# CloudFront compresses by itself.
SKIPPED = ".gz"


def upload(dist: Path, bucket: str) -> list[str]:
    """Upload the built files. Return their keys in the order of the upload. Raise `KeyError` for an unknown type."""
    files = [path for path in sorted(dist.rglob("*")) if path.is_file() and path.suffix != SKIPPED]
    files.sort(key=lambda path: (path.parent == dist, path.name == "index.html"))
    types = {path: TYPES[path.suffix] for path in files}
    keys = []
    for path, content_type in types.items():
        name = str(path.relative_to(dist))
        cache_control = ASSET_CACHE_CONTROL if name.startswith("assets/") else PAGE_CACHE_CONTROL
        client("s3").put_object(
            Bucket=bucket,
            Key=f"admin/{name}",
            Body=path.read_bytes(),
            ContentType=content_type,
            CacheControl=cache_control,
        )
        keys.append(f"admin/{name}")
    return keys


def main(arguments: list[str]) -> int:
    """Run the command line. Return 0 on success, 1 if the build fails, 2 for a wrong command."""
    if len(arguments) != 1:
        print("usage: python -m infra.deploy.dashboard BUCKET", file=sys.stderr)
        return 2
    try:
        build(print)
    except DashboardError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(upload(Project().dist, arguments[0]))} files are in {arguments[0]}; the page is served at once")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
