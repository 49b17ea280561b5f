"""Wallets, leases, ledgers and what was served for them."""
