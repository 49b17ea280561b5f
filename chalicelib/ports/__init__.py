"""Interfaces to everything outside the services. Adapters implement them; unit tests use the fakes in `tests/fakes`.

All times are milliseconds of the server's clock, all amounts integer millipoints. Adapters raise only what is named
here or in `domain/errors.py`, and `StoreUnavailable` if a store does not answer in time.
"""
