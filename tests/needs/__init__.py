"""Needs and complaints: filed, planned, answered, told."""
