"""Streams: settings, sources, runtime and outages."""
