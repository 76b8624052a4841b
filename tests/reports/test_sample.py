"""Samples for call-backs: the facts behind each reason from a real book, one sample for one seed, and the command."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from app.hours import sampling
from app.hours.risks import key_of
from app.hours.sampling import draw_records
from app.kernel.migrating import migrate
from app.main import open_database
from tests.bank import done
from tests.conftest import run_cli
from tests.hours.acts import record, verify
from tests.migrations.conftest import empty
from tests.migrations.test_previous_release import EXPECTED, fill

if TYPE_CHECKING:
    from app.hours.risks import Drawn
    from app.settings import Settings
    from tests.bank import Bank

__all__ = ["empty"]

FIELDS = {"community", "service_record_id", "volunteer_id", "service_date", "minutes", "recorded_by", "verified_by"}


async def drawn_of(bank: Bank, *, size: int = 1000, seed: int = 7) -> dict[str, Drawn]:
    """What is drawn in the bank's community, by the record."""
    async with bank.database.read(bank.number) as session:
        return {str(one.record.id): one for one in await draw_records(session, bank.number, seed=seed, size=size)}


def codes_of(drawn: Drawn) -> list[str]:
    return [reason.code for reason in drawn.reasons]


async def storied(bank: Bank) -> dict[str, list[str]]:
    """Let a community have records of each kind, and give for each the reasons why it is worth a call."""
    await bank.kind()
    expected: dict[str, list[str]] = {}
    volunteers = [await bank.volunteer() for _ in range(3)]

    async def made(reasons: str, volunteer: int = 0, **fields: Any) -> Any:
        new = await record(bank, volunteers[volunteer], **fields)
        expected[new["id"]] = reasons.split()
        return new

    # The desk's records are decided by three, none of whom decides nine of ten.
    for place, decider in enumerate([bank.verifier, bank.manager, bank.verifier]):
        done(await verify(decider, await made("chance", start=f"2026-02-2{place}T09:00")), 200)
    done(await verify(bank.verifier, await made("late", start="2026-01-12T09:00")), 200)
    # 300 and 180 minutes are a full day, and a minute more is over it: who has that day is asked about each record.
    done(await verify(bank.manager, await made("chance", start="2026-02-26T06:00", minutes=300)), 200)
    await made("chance", start="2026-02-26T12:00", minutes=180)
    done(await verify(bank.manager, await made("over_long_day", 1, start="2026-02-26T06:00", minutes=300)), 200)
    await made("over_long_day", 1, start="2026-02-26T12:00", minutes=181)
    # Rejected and corrected records neither count nor are drawn.
    rejected = await record(bank, volunteers[2], start="2026-02-27T06:00", minutes=400)
    done(await verify(bank.manager, rejected, "reject", note="没有来"), 200)
    corrected = await record(bank, volunteers[2], start="2026-02-27T06:00", minutes=400)
    done(await verify(bank.manager, corrected), 200)
    done(await bank.manager.post(f"service-records/{corrected['id']}/correction", {"reason": "记错了"}), 200)
    await made("chance", 2, start="2026-02-27T06:00", minutes=400)
    # The manager's ten: nine decided by the verifier, who is nearly always there; one by the city.
    for day in range(17, 27):
        with_friend = day > 17
        reason = "always_together" if with_friend else "chance"
        new = await made(reason, 2, by=bank.manager, start=f"2026-02-{day}T15:00")
        path = f"{bank.desk.base}/service-records/{new['id']}"
        decider = bank.verifier if with_friend else bank.city
        done(await decider.post(f"{path}/verification", {"decision": "approve"}), 200)
    # Five past ten at night.
    bank.clock.move(hours=10, minutes=5)
    await made("after_hours", start="2026-03-01T09:00")
    return expected


async def test_each_record_is_drawn_for_the_reasons_that_its_book_gives(bank: Bank) -> None:
    expected = await storied(bank)
    found = await drawn_of(bank)
    assert {record_id: codes_of(one) for record_id, one in found.items()} == expected
    counts = Counter(code for codes in expected.values() for code in codes)
    assert counts["always_together"] == 9
    assert min(counts[code] for code in ("late", "over_long_day", "after_hours", "chance")) >= 1
    weights = {"chance": 0, "late": 4, "over_long_day": 6, "always_together": 4, "after_hours": 2}
    for one in found.values():
        assert one.weight == 1 + sum(weights[code] for code in codes_of(one))


async def test_the_lowest_keys_are_drawn_however_many_are_read_at_a_time(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    await storied(bank)
    everything = await drawn_of(bank)
    by_key = sorted(everything.values(), key=lambda one: key_of(7, one.record.id, one.weight))
    for step in (3, 5000):
        monkeypatch.setattr(sampling, "_records_per_step", step)
        assert list((await drawn_of(bank, size=8)).values()) == by_key[:8]


async def test_the_same_book_gives_the_same_sample_on_both_engines(empty: Settings) -> None:
    migrate(empty, "0005")
    fill(empty)
    migrate(empty)
    database = open_database(empty)
    async with database.read(EXPECTED["number"]) as session:
        drawn = await draw_records(session, EXPECTED["number"], seed=7, size=3)
    await database.close()
    # As worked out with sha256sum and awk: -ln(u) / weight of all six that are live, in ascending order.
    assert [(str(one.record.id), codes_of(one)) for one in drawn] == [
        ("01a20d39-5e77-7661-ad72-8ce301e42821", ["late"]),
        ("01a20d39-5d6f-72b0-979b-484ff348fcf7", ["chance"]),
        ("01a20d39-5e67-71f5-999a-80b6ca6ec52a", ["late"]),
    ]
    assert [one.key for one in drawn] == pytest.approx([0.0151563, 0.0272161, 0.180673], rel=1e-5)


def sample(settings: Settings, *arguments: str) -> Any:
    """Run the command."""
    secret = {"LOVEBANK_SECRET_PEPPER": "p" * 40}
    return run_cli("audit", *arguments, LOVEBANK_DATABASE_URL=settings.database_url, **secret)


async def test_the_command_prints_one_draw_over_all_communities_without_a_word_about_persons(
    bank: Bank, settings: Settings
) -> None:
    await storied(bank)
    first = bank.community["code"]
    await bank.open_community()
    await storied(bank)
    answer = sample(settings, "--sample", "20", "--seed", "7")
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(lines) == len({line["service_record_id"] for line in lines}) == 20
    assert {line["community"] for line in lines} == {first, bank.community["code"]}
    for line in lines:
        assert set(line) == FIELDS | {"weight", "reasons"}
        assert all(set(reason) == {"code", "meaning"} for reason in line["reasons"])
    assert "李佳儒" not in answer.stdout
    assert sample(settings, "--sample", "20", "--seed", "7").stdout == answer.stdout
    assert sample(settings, "--sample", "20", "--seed", "8").stdout != answer.stdout
    one = sample(settings, "--sample", "5", "--seed", "7", "--community", first)
    ours = [line for line in answer.stdout.splitlines() if json.loads(line)["community"] == first]
    assert one.stdout.splitlines() == ours[:5]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("arguments", [("--sample", "20"), ("--seed", "7"), ("--sample", "0", "--seed", "7")])
def test_a_draw_needs_its_size_and_its_seed(settings: Settings, arguments: tuple[str, ...]) -> None:
    answer = sample(settings, *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--seed" in answer.stderr or "--sample" in answer.stderr


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_draw_in_a_community_that_is_not_there_is_refused(settings: Settings) -> None:
    answer = sample(settings, "--sample", "5", "--seed", "7", "--community", "nowhere")
    assert answer.returncode == 2
    assert "no community" in answer.stderr
