"""Tests of every part, on SQLite and on a real PostgreSQL."""
