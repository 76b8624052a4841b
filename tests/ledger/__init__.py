"""The ledger on both databases, with real commits."""
