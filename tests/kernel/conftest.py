"""Tests here share a database, see `tests.kernel.reuse`."""

from tests.kernel.reuse import database_url, emptied_postgresql

__all__ = ["database_url", "emptied_postgresql"]
