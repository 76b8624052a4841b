"""Breaks the service in every way that a decade will, and counts what was lost: nothing may be."""
