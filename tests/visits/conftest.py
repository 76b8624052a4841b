"""These tests share a PostgreSQL database, unless they ask for their own: each keeps to a community of its own."""

from tests.hours.sharing import database_url, own_database, shared_postgresql

__all__ = ["database_url", "own_database", "shared_postgresql"]
