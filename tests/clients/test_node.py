"""What those who work with JavaScript see of the OpenAPI document: two linters, and a typed client on its journey."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from app.http.openapi_yaml import as_yaml
from app.main import describing_app
from tests.clients.node import HERE, installed, run

if TYPE_CHECKING:
    from pathlib import Path

# In one process, so that the programs are installed once.
pytestmark = pytest.mark.xdist_group("clients")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the programs, their settings, and the document as it is committed."""
    folder = tmp_path / "node"
    shutil.copytree(HERE, folder)
    (folder / "node_modules").symlink_to(installed())
    (folder / "openapi.yaml").write_text(as_yaml(describing_app()), encoding="utf-8")
    return folder


def test_spectral_and_redocly_have_nothing_to_say(folder: Path) -> None:
    spectral = ("node_modules/.bin/spectral", "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint")
    assert "No results" in run(*spectral, "openapi.yaml", folder=folder)
    redocly = run("node_modules/.bin/redocly", "lint", "--format", "json", "openapi.yaml", folder=folder)
    assert json.loads(redocly)["problems"] == []


def test_journey_of_a_typed_client_in_typescript(folder: Path, served: dict[str, str], left: dict[str, Any]) -> None:
    # What has a default may be left out of a request; the program's own default is that it may not.
    typed = ("node_modules/.bin/openapi-typescript", "--default-non-nullable", "false")
    run(*typed, "openapi.yaml", "--output", "schema.d.ts", folder=folder)
    run("node_modules/.bin/tsc", "--project", "tsconfig.json", folder=folder)
    assert json.loads(run("node", "made/journey.js", folder=folder, **served)) == left
