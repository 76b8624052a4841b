"""Databases that no migration has touched, beside the migrated one that tests share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from app.settings import Settings
from tests.conftest import new_postgresql
from tests.kernel.reuse import database_url, emptied_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["database_url", "emptied_postgresql", "empty", "new_database"]


@contextmanager
def new_database(like: Settings, folder: Path) -> Iterator[Settings]:
    """The settings of a new, empty database of the same engine as another."""
    if like.on_sqlite:
        yield Settings(database_url=f"sqlite:///{folder}/empty.db")
    else:
        with new_postgresql() as url:
            yield Settings(database_url=url)


@pytest.fixture
def empty(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """An empty database, of the engine on which `settings` has a migrated one."""
    with new_database(settings, tmp_path) as made:
        yield made
