"""What is stored of a person: nothing in clear anywhere, and nothing at all without the person's key."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from app.kernel.idempotency import idempotency_answers
from app.kernel.persons import load_keys, person_keys
from app.kernel.vault import Vault, unseal
from app.volunteers.tables import volunteers
from tests.bank import done, refused
from tests.contract.stored import everything_stored
from tests.volunteers.people import GUARDIAN, id_number, person

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import Bank

NUMBER = id_number(dt.date(2015, 7, 1))
PERSON = person(name="张文静", phone="13911112222", sex="female", id_number=NUMBER, guardian=GUARDIAN)
SECRETS = ("张文静", "13911112222", NUMBER, "2015-07-01", "20150701", "female", "王秀英", "13600001111")


async def test_nothing_of_a_person_stands_in_clear_in_any_table(bank: Bank, settings: Settings) -> None:
    made = done(await bank.desk.post("volunteers", PERSON, key="k-1"), 201)
    refused(await bank.desk.post("volunteers", PERSON, key="k-2"), "already-registered")
    refused(await bank.desk.post("volunteers", {**PERSON, "id_number": None}, key="k-3"), "already-registered")
    await bank.kind()
    await bank.hours(made["id"])
    await bank.desk.get("volunteers", phone="13911112222")
    stored = everything_stored(settings)
    assert made["id"] in stored
    assert "祁连家园" in stored, "what is not personal is found, so the search works"
    assert [word for word in SECRETS if word in stored] == []
    escaped = [word.encode("unicode-escape").decode() for word in SECRETS]
    assert [word for word in escaped if word in stored] == []
    if settings.on_sqlite:
        database = Path(settings.database_url.removeprefix("sqlite:///"))
        raw = b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))
        assert [word for word in SECRETS if word.encode() in raw] == []


async def test_answer_that_names_a_person_is_kept_sealed(bank: Bank) -> None:
    first = await bank.desk.post("volunteers", PERSON, key="k")
    made = done(first, 201)
    table = idempotency_answers
    async with bank.database.read(bank.number) as session:
        found = await session.execute(sa.select(table.c.body, table.c.person_id).where(table.c.key == "k"))
        body, person_id = found.one()
        keys = await load_keys(session, [(bank.number, UUID(made["id"]))])
    assert person_id == UUID(made["id"])
    assert "{" not in body
    context = f"answer {bank.number}/{bank.desk.client_id}/k"
    assert unseal(keys[bank.number, person_id], body, context) == first.content
    with pytest.raises(InvalidTag):
        unseal(keys[bank.number, person_id], body, context + "2")


async def test_without_the_persons_key_nobody_can_read_the_person(bank: Bank) -> None:
    gone = UUID(done(await bank.desk.post("volunteers", PERSON), 201)["id"])
    stays = UUID((await bank.volunteer())["id"])
    both = [(bank.number, gone), (bank.number, stays)]
    context = f"volunteer {gone}"
    async with bank.database.write(bank.number) as session:
        found = await session.execute(sa.select(volunteers.c.sealed).where(volunteers.c.volunteer_id == gone))
        sealed = found.scalar_one()
        keys = await load_keys(session, both)
        assert "张文静" in unseal(keys[bank.number, gone], sealed, context).decode()
        await session.execute(sa.delete(person_keys).where(person_keys.c.person_id == gone))
    async with bank.database.read(bank.number) as session:
        assert set(await load_keys(session, both)) == {(bank.number, stays)}
    for key in (keys[bank.number, stays], bank.database.vault.new_person_key("anyone")[0]):
        with pytest.raises(InvalidTag):
            unseal(key, sealed, context)


async def test_key_of_a_person_opens_with_the_services_pepper_and_for_that_person_alone(bank: Bank) -> None:
    volunteer = await bank.volunteer()
    async with bank.database.read(bank.number) as session:
        wrapped = (await session.execute(sa.select(person_keys.c.wrapped_key))).scalar_one()
    owner = f"{bank.number}/{volunteer['id']}"
    assert len(bank.database.vault.unwrap(wrapped, owner)) == 32
    for vault, other in (
        (Vault("another pepper that is long enough"), owner),
        (bank.database.vault, f"{bank.number}/{uuid4()}"),
        (bank.database.vault, f"{bank.number + 1}/{volunteer['id']}"),
    ):
        with pytest.raises(InvalidTag):
            vault.unwrap(wrapped, other)
