"""Accounts, their passwords and logins."""
