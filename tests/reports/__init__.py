"""The reports: the audit of a whole community."""
