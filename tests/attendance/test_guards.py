"""What the databases keep by themselves of the work behind the hours, whoever writes into them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.attendance.acts import begun, listed, signed_up, submitted
from tests.bank import done
from tests.signups.acts import cancel, opened
from tests.stalls import acts as stalls
from tests.vendors.acts import vendor

if TYPE_CHECKING:
    from tests.bank import Bank


async def kept(bank: Bank, statement: str) -> None:
    """Have a statement refused by the database itself, for it would change what stays."""
    with pytest.raises(DBAPIError, match="keeps its rows as they are"):
        async with bank.database.write(bank.number) as session:
            await session.execute(sa.text(statement))


async def test_what_is_submitted_cancelled_and_drawn_never_changes(bank: Bank) -> None:
    await bank.kind()
    to = await begun(bank)
    await listed(bank, to, [await signed_up(bank, to)])
    async with bank.database.write(bank.number) as session:
        await session.execute(sa.text("UPDATE attendances SET minutes = 90"))
    await submitted(bank, to)
    await kept(bank, "UPDATE attendances SET minutes = 1")
    await kept(bank, "UPDATE attendances SET submitted_at = NULL, submitted_by = NULL, service_record_id = NULL")
    done(await cancel(bank.desk, await signed_up(bank, await opened(bank))), 200)
    await kept(bank, "UPDATE signups SET reason = 'x'")
    evening = await stalls.evening(bank.manager, await stalls.site(bank.manager), bank.clock.moment + dt.timedelta(2))
    done(await stalls.apply(bank.manager, evening, await vendor(bank)), 201)
    bank.clock.move(days=1, hours=1)
    await stalls.make_draw(bank.manager, evening)
    await kept(bank, "UPDATE draws SET revealed = 'x'")
