"""Streams on this worker: claimed, run, restarted after failures, and reported."""
