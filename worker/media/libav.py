"""Programs that use the media libraries."""

import av.logging

from worker.processes.module_process import name_process


def set_up_program(name: str, level: int = av.logging.WARNING) -> None:
    """Name this process, and let the libraries log straight to the standard error.

    Through Python, the threads of codecs would wait for its lock to log.
    """
    name_process(name)
    av.logging.restore_default_callback()
    av.logging.set_libav_level(level)
