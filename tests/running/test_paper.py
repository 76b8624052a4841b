"""What an import says of paper that contradicts itself or the bank, and how far it has come."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import app.demo
from app.communities.service import find_community
from app.goods.service import find_goods
from app.imports.paper import UnreadablePaperError, read_community
from app.imports.service import Report, Step, import_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.kernel.database import Database

PAPER = Path(app.demo.__file__).parent / "qilianlu-west"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The paper with its goods, and headers alone of everything else."""
    copy = tmp_path / "paper"
    copy.mkdir()
    for name in ("community.json", "goods.csv"):
        (copy / name).write_bytes((PAPER / name).read_bytes())
    for name in ("volunteers.csv", "service-records.csv", "redemptions.csv"):
        (copy / name).write_bytes((PAPER / name).read_bytes().splitlines(keepends=True)[0])
    return copy


def spoil(folder: Path, change: Callable[[Any], object]) -> None:
    """Change `community.json`."""
    path = folder / "community.json"
    community = json.loads(path.read_text(encoding="utf-8"))
    change(community)
    path.write_text(json.dumps(community), encoding="utf-8")


async def run(database: Database, folder: Path) -> Report:
    return await import_folder(database, folder, progress=lambda _: None)


async def test_a_rule_of_an_unknown_kind_stops_the_import_before_anything_is_stored(
    database: Database, folder: Path
) -> None:
    spoil(folder, lambda community: community["service_kinds"].clear())
    with pytest.raises(UnreadablePaperError, match=r"community\.json: There is no service kind home_visit"):
        await run(database, folder)
    async with database.read() as session:
        assert await find_community(session, read_community(folder).code) is None


async def test_another_rule_of_the_same_date_stops_the_import_and_an_identical_one_does_not(
    database: Database, folder: Path
) -> None:
    spoil(folder, lambda community: community["earning_rules"].append(community["earning_rules"][0]))
    for _ in range(2):
        assert (await run(database, folder)).refused == []
    kept = (folder / "community.json").read_bytes()
    changes: list[dict[str, int | None]] = [
        {"points_per_hour": 99},
        {"minutes_per_day_max": 241},
        {"minutes_per_record_max": None},
    ]
    for change in changes:
        (folder / "community.json").write_bytes(kept)
        spoil(folder, partial(_change_first_rule, change))
        with pytest.raises(UnreadablePaperError, match=r"community\.json: home_visit has an earning rule from 2025"):
            await run(database, folder)


def _change_first_rule(change: dict[str, int | None], community: Any) -> None:
    community["earning_rules"][0].update(change)


async def test_a_code_that_stands_twice_in_the_goods_is_refused_the_second_time(
    database: Database, folder: Path
) -> None:
    path = folder / "goods.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[1]]))
    for _ in range(2):
        report = await run(database, folder)
        (row,) = report.refused
        assert (row.file, row.line, row.code) == ("goods.csv", len(lines) + 1, "already-exists")
    async with database.read() as session:
        community = await find_community(session, read_community(folder).code)
    assert community is not None
    code = lines[1].decode("gb18030", "replace").partition(",")[0]
    async with database.read(community.number) as session:
        assert set(await find_goods(session, community.number, [code])) == {code}


async def test_progress_tells_every_total_first_and_then_each_batch(database: Database, folder: Path) -> None:
    steps: list[Step] = []
    await import_folder(database, folder, progress=steps.append)
    rows = len((folder / "goods.csv").read_bytes().splitlines()) - 1
    assert steps == [
        ("volunteers.csv", 0, 0),
        ("service-records.csv", 0, 0),
        ("goods.csv", 0, rows),
        ("redemptions.csv", 0, 0),
        ("goods.csv", rows, rows),
    ]
