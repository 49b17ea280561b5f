"""Whether this machine can show windows."""

import os
import sys


def has_display() -> bool:
    """Return whether mpv or a browser can open a window."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
