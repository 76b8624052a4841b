"""Volunteers (志愿者): registered with consent, their personal data sealed, their accounts."""
