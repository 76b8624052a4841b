"""Disputes: what volunteers contest, and what managers answer."""
