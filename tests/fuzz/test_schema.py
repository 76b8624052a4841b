"""Schemathesis, shortly: the examples of the description, and each bound of it from both sides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.schema import run_schemathesis, served

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_schemathesis_finds_nothing(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(settings, tmp_path) as server:
        run = run_schemathesis(server, tmp_path, seed=1, phases="examples,coverage", examples=1, seconds=60)
    assert run.returncode == 0, run.stdout + run.stderr
    cases = re.search(r"(\d+) generated", run.stdout)
    assert cases is not None, run.stdout
    assert int(cases[1]) > 10 * len(server.operations)
    with capsys.disabled():
        print(f"\nschemathesis: {len(server.operations)} operations, {cases[0]}")  # noqa: T201  told, not hidden
