"""A client made by openapi-python-client goes the journey, with its types checked strictly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
JOURNEY = HERE / "python_journey.py"
ROOT = HERE.parents[1]
# The client is needed for this test alone, so nobody reads it, and it need not be beautiful.
SETTINGS = "package_name_override: love_bank_client\npost_hooks: []\n"


def run(*command: str, **environment: str) -> str:
    """Run a module of the test environment; give what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.xdist_group("clients")
def test_journey_of_a_generated_python_client(
    document: dict[str, Any], served: dict[str, str], left: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "settings.yaml").write_text(SETTINGS, encoding="utf-8")
    run(
        *("openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", str(tmp_path / "openapi.json"), "--config", str(tmp_path / "settings.yaml")),
        *("--output-path", str(tmp_path / "love_bank_client")),
    )
    cache = ROOT / ".mypy_cache" / "clients"
    # Without the project's settings, which let the client be unknown.
    strict = ("--strict", "--config-file", os.devnull, "--cache-dir", str(cache))
    run("mypy", *strict, str(JOURNEY), MYPYPATH=str(tmp_path))
    told = run("tests.clients.python_journey", PYTHONPATH=str(tmp_path), **served)
    assert json.loads(told) == left
