"""The contract's fixtures: a service whose signing key the tests know, and its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from app.kernel.keys import new_signing_key
from app.main import create_app
from app.settings import Settings
from tests.contract.spec import Operation, operations_of

if TYPE_CHECKING:
    from fastapi import FastAPI


@pytest.fixture(scope="session")
def signing_key() -> str:
    return new_signing_key()


@pytest.fixture
def settings(settings: Settings, signing_key: str) -> Settings:
    return settings.model_copy(update={"signing_key": SecretStr(signing_key)})


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The app as it describes itself, with no database behind it."""
    path = tmp_path_factory.mktemp("described") / "none.db"
    return create_app(Settings(database_url=f"sqlite:///{path}"))


@pytest.fixture(scope="session")
def operations(described: FastAPI) -> list[Operation]:
    """Every operation that the app documents."""
    return operations_of(described)
