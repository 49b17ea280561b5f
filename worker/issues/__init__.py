"""Ingest issues: what is wrong with a stream, from observations of its worker."""
