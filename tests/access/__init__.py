"""Tokens and clients."""
