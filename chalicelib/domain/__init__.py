"""The rules of Tollcast, without any I/O: standard library only."""
