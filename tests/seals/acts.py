"""What tests of seals do over and over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.reports.service import audit_community
from app.seals.offline import Checked, Keys, check
from app.seals.service import Sealer
from tests.bank import done
from tests.redemptions.acts import collect, reserve, rich

if TYPE_CHECKING:
    from app.ledger import Discrepancy
    from tests.bank import Api, Bank


def keys_of(bank: Bank) -> Keys:
    """The bank's public key, as anybody has it."""
    return Keys((bank.database.signer.public,))


async def seal(bank: Bank) -> int:
    """Seal what waits, as a worker that has just started."""
    return await Sealer(bank.database).seal_due()


def checked(bank: Bank, text: str) -> Checked:
    """Check one receipt, proof or checkpoint with the public key; it holds."""
    (one,) = check(text, keys_of(bank))
    assert one.holds, one
    return one


async def proof_of(bank: Bank, number: int) -> str:
    """The proof of a transaction."""
    answer = await bank.auditor.get(f"ledger/transactions/{number}/proof")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text


async def checkpoint(bank: Bank, size: int | None = None) -> Any:
    """The last checkpoint, or the one of a size."""
    path = "ledger/checkpoint" if size is None else f"ledger/checkpoints/{size}"
    return done(await bank.auditor.get(path), 200)


async def audited(bank: Bank) -> list[Discrepancy]:
    """What the audit of the bank's community finds."""
    async with bank.database.read(bank.number) as session:
        return await audit_community(session, bank.number)


async def busy(bank: Bank) -> tuple[Any, Any]:
    """A volunteer with a history: hours, a redemption that was collected, one that is held; and a friend."""
    volunteer, friend = await rich(bank, 100), await bank.volunteer()
    towel = await bank.goods(pieces=9, price=10)
    done(await collect(bank.desk, done(await reserve(bank.desk, volunteer, (towel, 1)), 201)), 200)
    done(await reserve(bank.desk, volunteer, (towel, 1)), 201)
    await give(bank.desk, volunteer, friend)
    return volunteer, friend


async def give(desk: Api, giver: Any, receiver: Any, points: int = 5) -> Any:
    """Give points to another volunteer."""
    body = {
        "from_volunteer_id": giver["id"],
        "to_volunteer_id": receiver["id"],
        "points": points,
        "note": "谢谢",
    }
    return done(await desk.post("transfers", body), 201)
