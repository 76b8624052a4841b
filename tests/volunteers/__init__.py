"""Volunteers: registration, who sees what, and what is stored of them."""
