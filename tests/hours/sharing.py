"""One PostgreSQL database for all tests of a process that keep to a community of their own.

Making a database takes longer than most of these tests. What looks at all communities, as the worker does, must not
share: it would find what other tests left open.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ENGINES, new_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_template: str) -> Iterator[str]:
    with new_postgresql(postgresql_template) as url:
        yield url


@pytest.fixture
def own_database() -> None:
    """Asked for by tests that must not share."""


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of each engine: empty, except that on PostgreSQL others may have their communities there."""
    if request.param == "sqlite":
        path = tmp_path / "bank.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    elif "own_database" in request.fixturenames:
        with new_postgresql(request.getfixturevalue("postgresql_template")) as url:
            yield url
    else:
        yield request.getfixturevalue("shared_postgresql")
