"""Become the nginx that receives what senders publish, on a configuration rendered now."""

import os
import resource
import shutil
import sys

from gateway.ingest_config import MEMORY_BYTES_MAX, IngestConfig, render
from infra.local.layout import HOST, Layout, layout_from


def ingest_config(layout: Layout) -> IngestConfig:
    """The ingest of a local platform. Senders are on this machine, as everything is."""
    return IngestConfig(
        listen=f"{HOST}:{layout.rtmp_port}",
        hook_socket=layout.socket("ingest"),
        endpoints_socket=layout.socket("endpoints"),
        refusals_socket=layout.socket("refusals"),
        state_dir=layout.ingest_dir,
    )


def main() -> None:
    """Never returns."""
    layout = layout_from(os.environ)
    own = ingest_config(layout)
    command = shutil.which("nginx")
    if command is None or not own.module.exists():
        sys.exit("nginx or its RTMP module is not installed: sudo apt-get install nginx-light libnginx-mod-rtmp")
    path = layout.ingest_dir / "nginx.conf"
    path.write_text(render(own))
    # nginx removes its socket only at an orderly end, and does not start where one is left.
    own.hook_socket.unlink(missing_ok=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    os.chdir(own.hook_socket.parent)
    os.execv(command, [command, "-p", str(layout.ingest_dir), "-c", str(path), "-e", "stderr"])


if __name__ == "__main__":
    main()
