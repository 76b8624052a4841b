"""Migrations: one linear history for SQLite and PostgreSQL."""
