"""Beneficiaries: who is served, and what is told of them."""
