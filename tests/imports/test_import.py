"""The import of a year of real paper: exactly the figures that were worked out apart from the project."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import app.demo
from app.communities.service import find_community
from app.imports.paper import UnreadablePaperError, read_community
from app.imports.service import Report, import_folder
from app.imports.totals import balance_lines
from app.reports.service import audit_community
from tests.conftest import run_cli

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.settings import Settings

PAPER = Path(app.demo.__file__).parent / "qilianlu-west"
EXPECTED = json.loads((PAPER / "expected.json").read_text(encoding="utf-8"))
_kinds = ("volunteers", "service_records", "redemptions")
_ends_before_commit = {"created", "approved", "pending", "collected"}


def figures(report: Report) -> dict[str, Any]:
    """A report in the shape of `expected.json`."""
    counts = {kind: dict(getattr(report, kind)) for kind in _kinds}
    assert report.totals is not None
    return {**counts, **asdict(report.totals)}


async def run(database: Database, folder: Path = PAPER, *, dry_run: bool = False) -> Report:
    return await import_folder(database, folder, dry_run=dry_run, progress=lambda _: None)


async def number_of(database: Database, folder: Path = PAPER) -> int:
    async with database.read() as session:
        found = await find_community(session, read_community(folder).code)
    assert found is not None
    return found.number


async def test_the_year_of_paper_ends_in_the_expected_figures_and_a_second_import_changes_nothing(
    database: Database,
) -> None:
    first = await run(database)
    assert figures(first) == EXPECTED
    _every_refused_row_stands_in_the_report(first)
    number = await number_of(database)
    async with database.read(number) as session:
        lines = await balance_lines(session, number)
        assert await audit_community(session, number) == []
    assert "".join(lines) == (PAPER / "expected-balances.csv").read_text(encoding="utf-8")

    again = figures(await run(database))
    kept = {name: value for name, value in EXPECTED.items() if name not in _kinds}
    assert {name: again[name] for name in kept} == kept
    assert again["volunteers"] == {"invalid-request": 17, "guardian-required": 3, "already-registered": 359}
    assert not _ends_before_commit & {*again["service_records"], *again["redemptions"]}
    async with database.read(number) as session:
        assert await audit_community(session, number) == []


def _every_refused_row_stands_in_the_report(report: Report) -> None:
    """Each with its line, and without the replayed ones."""
    refused = sum(
        count
        for kind in _kinds
        for outcome, count in EXPECTED[kind].items()
        if outcome not in {*_ends_before_commit, "replayed"}
    )
    assert len(report.refused) == refused
    rows = list(csv.reader((PAPER / "service-records.csv").read_text(encoding="utf-8-sig").splitlines()))
    unknown = [row for row in report.refused if row.code == "unknown-service-kind"]
    # The header is line 1, so that the line of a report is the line that a spreadsheet shows.
    assert {rows[row.line - 1][2] for row in unknown} == {"跳广场舞"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the paper that a test may spoil, with all volunteers and few other rows."""
    copy = tmp_path / "paper"
    shutil.copytree(PAPER, copy)
    for path in copy.iterdir():
        path.chmod(0o600)
    for name in ("service-records.csv", "redemptions.csv"):
        lines = (copy / name).read_bytes().splitlines(keepends=True)
        (copy / name).write_bytes(b"".join(lines[:40]))
    return copy


async def test_a_dry_run_answers_as_if_and_leaves_nothing(database: Database, folder: Path) -> None:
    dry = figures(await run(database, folder, dry_run=True))
    async with database.read() as session:
        assert await find_community(session, read_community(folder).code) is None
    assert dry == figures(await run(database, folder))
    assert dry["minutes"] > 0
    again = figures(await run(database, folder, dry_run=True))
    assert set(again["service_records"]) == {"replayed"}


async def test_both_encodings_are_read_in_any_file(database: Database, folder: Path) -> None:
    expected = figures(await run(database, folder, dry_run=True))
    swaps = {"volunteers.csv": ("gb18030", "utf-8"), "goods.csv": ("gb18030", "utf-8-sig")}
    swaps |= dict.fromkeys(("service-records.csv", "redemptions.csv"), ("utf-8-sig", "gb18030"))
    for name, (old, new) in swaps.items():
        (folder / name).write_text((folder / name).read_text(encoding=old), encoding=new)
    assert figures(await run(database, folder, dry_run=True)) == expected


async def test_a_missing_column_or_file_stops_the_import_before_anything_is_stored(
    database: Database, folder: Path
) -> None:
    path = folder / "redemptions.csv"
    path.write_text(path.read_text(encoding="utf-8-sig").replace("商品编号", "货号"), encoding="utf-8")
    with pytest.raises(UnreadablePaperError, match="商品编号"):
        await run(database, folder)
    path.unlink()
    with pytest.raises(UnreadablePaperError, match=r"redemptions\.csv"):
        await run(database, folder)
    async with database.read() as session:
        assert await find_community(session, read_community(folder).code) is None


async def test_an_unknown_volunteer_stays_refused_under_the_reference_until_the_row_changes(
    database: Database, folder: Path
) -> None:
    """What was decided about a reference stays decided, also when the phone is registered later."""
    volunteers = b"".join((folder / "volunteers.csv").read_bytes().splitlines(keepends=True)[:100])
    (folder / "volunteers.csv").write_bytes(volunteers.splitlines(keepends=True)[0])
    before = await run(database, folder)
    assert set(before.service_records) == {"unknown-volunteer"}
    (folder / "volunteers.csv").write_bytes(volunteers)
    after = await run(database, folder)
    assert after.volunteers["created"] > 0
    assert set(after.service_records) == {"replayed"}


def test_the_command_prints_the_figures_as_json_and_writes_the_report(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    report = tmp_path / "refused.csv"
    with (folder / "volunteers.csv").open("a", encoding="gb18030") as file:
        file.write("无名氏,12345,,,,2024-09-01,2024-09,,\n")
    environment = {"LOVEBANK_DATABASE_URL": settings.database_url, "LOVEBANK_SECRET_PEPPER": "p" * 40}
    answer = run_cli("import", str(folder), "--report", str(report), **environment)
    assert (answer.returncode, answer.stderr) == (0, "")
    printed = json.loads(answer.stdout)
    assert printed.keys() == EXPECTED.keys()
    assert printed["volunteers"] == {**EXPECTED["volunteers"], "invalid-request": 18}
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "line", "code", "reason"]
    assert ["volunteers.csv", "381", "invalid-request"] in [row[:3] for row in rows]
    audit = run_cli("audit", "--community", read_community(folder).code, **environment)
    assert (audit.returncode, audit.stdout) == (0, "")


def test_a_folder_without_paper_is_a_sentence_and_not_a_stack_trace(settings: Settings, tmp_path: Path) -> None:
    answer = run_cli("import", str(tmp_path), LOVEBANK_DATABASE_URL=settings.database_url)
    assert answer.returncode == 2
    assert "community.json" in answer.stderr or "volunteers.csv" in answer.stderr
    assert "Traceback" not in answer.stderr
