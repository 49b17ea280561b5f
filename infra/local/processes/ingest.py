"""Become the nginx that receives what senders publish, with a configuration rendered now."""

import os
import resource
import shutil
import sys

from gateway.ingest.config import MEMORY_BYTES_MAX, IngestConfig, render
from infra.local.layout import HOST, Layout, layout_from


def ingest_config(layout: Layout) -> IngestConfig:
    """Return the configuration of the local ingest. Its senders are on this machine."""
    return IngestConfig(
        listen=f"{HOST}:{layout.rtmp_port}",
        hook_socket=layout.socket("ingest"),
        endpoints_socket=layout.socket("endpoints"),
        refusals_socket=layout.socket("refusals"),
        state_dir=layout.ingest_dir,
    )


def main() -> None:
    """Become nginx. Never return."""
    layout = layout_from(os.environ)
    ingest = ingest_config(layout)
    command = shutil.which("nginx")
    if command is None or not ingest.module.exists():
        sys.exit("nginx or its RTMP module is not installed: sudo apt-get install nginx-light libnginx-mod-rtmp")
    path = layout.ingest_dir / "nginx.conf"
    path.write_text(render(ingest))
    # nginx removes its socket only at a regular end, and does not start if the socket exists.
    ingest.hook_socket.unlink(missing_ok=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    os.chdir(ingest.hook_socket.parent)
    os.execv(command, [command, "-p", str(layout.ingest_dir), "-c", str(path), "-e", "stderr"])


if __name__ == "__main__":
    main()
