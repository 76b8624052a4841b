"""Vendors: who sells at tide stalls, and what is told of them."""
