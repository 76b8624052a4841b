"""The clock that the demo's year is walked by, and that the year fits before any day on which the demo is loaded."""

from __future__ import annotations

import datetime as dt
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from app.communities.rules import FOUR_EYES, Community
from app.demo import city, clinic, stalls, visits
from app.demo.stage import Stage
from app.demo.walking import WalkingClock, walking
from app.kernel.heads import CITY
from app.kernel.ids import new_id
from app.settings import Settings
from tests.bank import NOW, TestClock

if TYPE_CHECKING:
    from app.kernel.database import Database

_hour = timedelta(hours=1)


def test_the_clock_is_walked_forwards_and_not_past_the_real_one() -> None:
    clock = WalkingClock(NOW - 2 * _hour, TestClock())
    clock.walk_to(NOW - _hour)
    for moment in (NOW - 2 * _hour, NOW + _hour):
        with pytest.raises(ValueError, match="nobody walks"):
            clock.walk_to(moment)
    assert clock.now(CITY) == clock.now(1) == NOW - _hour


async def test_the_database_has_its_own_clock_again_after_a_walk_that_broke_off(database: Database) -> None:
    own = database.clock

    def stumble() -> None:
        with walking(database, NOW - _hour) as clock:
            assert database.clock is clock
            raise InterruptedError

    with pytest.raises(InterruptedError):
        stumble()
    assert database.clock is own


@pytest.mark.parametrize("later", range(0, 800, 37))
def test_the_year_is_over_before_whatever_day_it_is_loaded_on(later: int) -> None:
    today = dt.date(2026, 11, 26) + timedelta(days=later)
    community = Community(
        1, new_id(), "c", "某社区", "某区", "某街道", "Asia/Shanghai", FOUR_EYES, 72, demo=True, created_at=NOW
    )
    stage = Stage(cast("Database", None), Settings(), community, today, {})
    scenes = [scene for part in (visits, city, clinic, stalls) for scene in part.scenes(stage)]
    begins, ends = stage.at(visits.begins_on(today), 0), stage.at(today, 0)
    assert all(begins < scene.at < ends for scene in scenes)
    assert ends - max(scene.at for scene in scenes) < timedelta(days=7)
    assert min(scene.at for scene in scenes) < begins + timedelta(hours=10)
