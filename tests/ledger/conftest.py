"""A database with books to post in, shared as `tests.kernel.reuse` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.reuse import database_url, emptied_postgresql
from tests.ledger.books import open_books

if TYPE_CHECKING:
    from app.kernel.database import Database

__all__ = ["books", "database_url", "emptied_postgresql"]


@pytest.fixture
async def books(database: Database) -> Database:
    """A database with the accounts of `tests.ledger.books` in the communities 1 and 2."""
    await open_books(database, 1, 2)
    return database
