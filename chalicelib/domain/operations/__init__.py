"""The audit log, counters and workers."""
