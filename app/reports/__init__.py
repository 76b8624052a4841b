"""Reads over the whole of a community: its ledger, its events, and the audit of everything."""
