"""Handles, leases, scopes, the ledger of what is open and the safety net for what nobody holds."""
