"""The rules of Tollcast, without I/O. Imports the standard library only."""
