"""Tokens, clients, limits, and who may fetch media."""
