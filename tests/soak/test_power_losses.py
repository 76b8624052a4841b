"""The loss of power is a real one: without the app's settings it takes commits away, and that is seen."""

from __future__ import annotations

import re

import pytest

from tests.soak.parts import SQLITE, Plan, ViolationError
from tests.soak.power_losses import PRAGMAS, lose_power


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_without_waiting_for_the_disk_acknowledged_commits_are_lost_and_that_is_found(synchronous: str) -> None:
    careless = [re.sub("synchronous=.*", f"synchronous={synchronous}", pragma) for pragma in PRAGMAS]
    assert set(careless) != set(PRAGMAS)
    with pytest.raises(ViolationError, match=r"were acknowledged|damaged"):
        lose_power(Plan(SQLITE, f"careless/{synchronous}", 60.0), careless)
