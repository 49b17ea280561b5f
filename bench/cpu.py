"""Measure the processor time of a process."""

import psutil


def cpu_s(pid: int) -> float:
    """Return the user and system time of a process, in seconds."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
