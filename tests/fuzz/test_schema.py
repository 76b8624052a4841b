"""Schemathesis, shortly: the examples of the description, and each bound of it from both sides, by everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.furnished import NO_TOKEN
from tests.contract.test_authorization import expected
from tests.fuzz.schema import STRANGER, run_schemathesis, served

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_schemathesis_finds_nothing(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(settings, tmp_path) as server:
        run = run_schemathesis(server, tmp_path, seed=1, phases="examples,coverage", examples=1, seconds=600)
    assert run.code == 0, run.told
    assert run.cases > 10 * len(server.world.documented)
    assert len(server.world.callers) == 10
    assert run.unsent(server.world) == []
    for operation in server.world.documented:
        for caller in server.world.callers:
            statuses = run.calls[operation.id][caller]
            role = "manager" if caller == STRANGER else caller
            if expected(operation, role, own=caller != STRANGER) != "admitted":
                assert all(status >= 400 for status in statuses), (operation.id, caller, statuses)
            # No call may use up another's token: who has none any more tries nothing.
            assert operation.is_public or caller == NO_TOKEN or 401 not in statuses, (operation.id, caller)
    with capsys.disabled():
        count = f"{len(server.world.documented)} operations, {run.cases} cases"
        told = ", ".join(f"{caller}: {run.by(caller).total()}" for caller in server.world.callers)
        print(f"\nschemathesis: {count}; {told}")  # noqa: T201  told, not hidden
