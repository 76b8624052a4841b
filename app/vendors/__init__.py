"""Vendors (摊主): who sells at tide stalls, on pitches that cost nothing."""
