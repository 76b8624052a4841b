"""Who may know whom: the import contracts of pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the command of the same name runs.
LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]


CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def test_import_contracts_hold() -> None:
    result = subprocess.run(
        [*LINT, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(CONTRACTS) >= 5
    assert [contract["name"] for contract in CONTRACTS if f"{contract['name']} KEPT" not in result.stdout] == []


def test_no_import_is_excused_and_no_feature_is_left_out() -> None:
    assert [contract["name"] for contract in CONTRACTS if "ignore_imports" in contract] == []
    features = {f"app.{path.parent.name}" for path in (ROOT / "app").glob("*/api.py")}
    (inside,) = (contract for contract in CONTRACTS if "app.hours" in contract.get("containers", []))
    assert set(inside["containers"]) == features
