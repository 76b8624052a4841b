"""A service as its users have it: a process of its own with a database of its own, and a client of the city."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from app.main import describing_app
from tests.clients import node
from tests.conftest import run_cli
from tests.programs import may_be_left_out
from tests.running.test_serve import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

collect_ignore = ["test_node.py"] if may_be_left_out(node.absence()) else []

_pepper = "a pepper for tests that is long enough"


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return describing_app().openapi()


@pytest.fixture
def served(sqlite_template: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a journey: a running service's address, and a client of the city."""
    database = tmp_path / "bank.db"
    shutil.copy(sqlite_template, database)
    environment = {"LOVEBANK_DATABASE_URL": f"sqlite:///{database}", "LOVEBANK_SECRET_PEPPER": _pepper}
    bootstrapped = run_cli("bootstrap", "--name", "市级管理员", **environment)
    client = json.loads(bootstrapped.stdout)
    with started(tmp_path, "serve", **environment) as (_, http):
        yield {
            "BASE": str(http.base_url).rstrip("/"),
            "CLIENT_ID": client["client_id"],
            "CLIENT_SECRET": client["client_secret"],
        }


@pytest.fixture(scope="session")
def left() -> dict[str, Any]:
    """What every journey tells at its end."""
    return {
        "award": 15,
        "redemption": "collected",
        "problem": {"code": "insufficient-points", "status": 409, "needed": 40},
        "explained": "积分不足",
        "points": 7,
        "minutes": 90,
        "lines": [["POINT", -8, 7], ["MINUTE", 90, 90], ["POINT", 15, 15]],
    }
